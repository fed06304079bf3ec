
#compdef idkit

_idkit_completion() {
  eval $(env _TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" _IDKIT_COMPLETE=complete_zsh idkit)
}

compdef _idkit_completion idkit

