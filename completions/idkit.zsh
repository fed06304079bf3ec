#compdef idkit

_idkit_completion() {
  eval $(env _TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" _IDKIT_COMPLETE=complete_zsh idkit)
}

if [ "$funcstack[1]" = "_idkit" ]; then
  _idkit_completion "$@"
else
  compdef _idkit_completion idkit
fi
