"""Tab completion for bash, zsh and fish: the names of commands, options and their values.

A shell asks by the variable `_IDKIT_COMPLETE`: `source_SHELL` for its script, which the folder
`completions` holds, `complete_SHELL` for what may stand where the cursor is.
"""

import os
import re
import shlex
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import typer

VARIABLE = "_IDKIT_COMPLETE"
SCRIPTS = {
    "bash": """\
_idkit_completion() {
    local IFS=$'\\n'
    COMPREPLY=( $( env COMP_WORDS="${COMP_WORDS[*]}" \\
                   COMP_CWORD=$COMP_CWORD \\
                   _IDKIT_COMPLETE=complete_bash $1 ) )
    [[ ${#COMPREPLY[@]} == 1 && $COMPREPLY == *= ]] && compopt -o nospace
    return 0
}

complete -o default -F _idkit_completion idkit
""",
    "zsh": """\
#compdef idkit

_idkit_completion() {
  eval $(env _TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" _IDKIT_COMPLETE=complete_zsh idkit)
}

if [ "$funcstack[1]" = "_idkit" ]; then
  _idkit_completion "$@"
else
  compdef _idkit_completion idkit
fi
""",
    "fish": """\
complete --command idkit --no-files \
--arguments "(env _IDKIT_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION=get-args \
_TYPER_COMPLETE_ARGS=(commandline -cp) idkit)" \
--condition "env _IDKIT_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION=is-args \
_TYPER_COMPLETE_ARGS=(commandline -cp) idkit"
""",
}
Found = tuple[str, str]
"""What may stand there, and a few words on it."""


def answer(asked: str, command: Any) -> tuple[str, int] | None:
    """What a shell is told.

    Args:
        asked: the value of the variable.
        command: `idkit`, as the library that runs it has it.

    Returns:
        A text for standard output and an exit code; None where nothing is known of the shell.
    """
    what, _, shell = asked.partition("_")
    if shell not in SCRIPTS or what not in ("source", "complete"):
        return None
    if what == "source":
        return SCRIPTS[shell], 0
    words, current = _typed(shell)
    found = list(_candidates(command, words, current))
    if shell == "bash":  # which takes what stands before = for a word of its own
        before = current.rfind("=") + 1
        return "".join(f"{value[before:]}\n" for value, _ in found), 0
    if shell == "zsh":
        return _zsh(found), 0
    if os.environ.get("_TYPER_COMPLETE_FISH_ACTION") == "is-args":
        return "", 0 if found else 1
    return "".join(f"{value}\t{text}\n" if text else f"{value}\n" for value, text in found), 0


def _typed(shell: str) -> tuple[list[str], str]:
    """The words before the cursor, less the program's, and the one that is being typed."""
    if shell != "bash":
        text = os.environ.get("_TYPER_COMPLETE_ARGS", "")
        words = _split(text)[1:]
        return (words, "") if text[-1:].isspace() or not words else (words[:-1], words[-1])
    at = int(os.environ.get("COMP_CWORD", "0"))
    words = _split(os.environ.get("COMP_WORDS", ""))
    words = [*words[: at + 1], *([""] if at >= len(words) else [])]
    joined: list[str] = []
    for word in words[1:]:
        if joined and (word == "=" or joined[-1].endswith("=")):
            joined[-1] += word
        else:
            joined.append(word)
    return joined[:-1], joined[-1] if joined else ""


def _split(text: str) -> list[str]:
    """Words as a shell has them, also where a quotation has no end yet."""
    reader = shlex.shlex(text, posix=True)
    reader.whitespace_split, reader.commenters = True, ""
    words: list[str] = []
    try:
        words.extend(reader)  # one by one
    except ValueError:
        words.append(reader.token or "")
    return words


def _candidates(command: Any, words: Sequence[str], current: str) -> Iterator[Found]:
    """What may stand in the place of the word that is being typed."""
    context = typer.Context(command, info_name="idkit", resilient_parsing=True)
    rest = [part for word in words for part in _parts(word)]
    while hasattr(command, "commands"):
        at = next((n for n, word in enumerate(rest) if not word.startswith("-")), None)
        if at is None:
            yield from (
                _options(command, current)
                if current.startswith("-")
                else (
                    (name, inner.get_short_help_str())
                    for name, inner in command.commands.items()
                    if name.startswith(current)
                )
            )
            return
        _, command, _ = command.resolve_command(context, rest[at:])
        if command is None:
            return
        rest = rest[at + 1 :]
        context = typer.Context(command, parent=context, resilient_parsing=True)
    context.params = _given(command, rest)
    *before, value = _parts(current)
    option = _option(command, [*rest, *before][-1:])
    if option is not None:
        prefix = f"{before[0]}=" if before else ""
        yield from ((prefix + text, said) for text, said in _values(option, context, value))
    elif current.startswith("-"):
        yield from _options(command, current)
    else:
        yield from _values(_argument(command, rest), context, current)


def _parts(word: str) -> list[str]:
    """`--option=value` as two words."""
    name, equals, value = word.partition("=")
    return [name, value] if equals and name.startswith("--") else [word]


def _option(command: Any, last: Sequence[str]) -> Any:
    """The option that the last word names, if it takes a value."""
    for parameter in command.params:
        if set(last) & {*parameter.opts, *parameter.secondary_opts}:
            return None if getattr(parameter, "is_flag", False) else parameter
    return None


def _argument(command: Any, words: Sequence[str]) -> Any:
    """The argument that comes after some words."""
    values = [n + 1 for n, word in enumerate(words) if _option(command, [word]) is not None]
    given = sum(not w.startswith("-") for n, w in enumerate(words) if n not in values)
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    for parameter in arguments:
        if given == 0 or parameter.nargs == -1:
            return parameter
        given -= 1
    return None


def _given(command: Any, words: Sequence[str]) -> dict[str, Any]:
    """The options before the cursor, by name."""
    options = ((_option(command, [name]), value) for name, value in pairwise(words))
    return {option.name: value for option, value in options if option is not None}


def _values(parameter: Any, context: Any, current: str) -> Iterator[Found]:
    if parameter is not None:
        for item in parameter.shell_complete(context, current):
            yield str(item.value), item.help or ""


def _options(command: Any, current: str) -> Iterator[Found]:
    for parameter in command.get_params(typer.Context(command)):
        if parameter.param_type_name == "option" and not parameter.hidden:
            text = re.split(r"[.:;] |\.$", " ".join((parameter.help or "").split()))[0]
            names = (*parameter.opts, *parameter.secondary_opts)
            yield from ((name, text) for name in names if name.startswith(current))


def _zsh(found: Sequence[Found]) -> str:
    """The commands that zsh runs to offer what there is; files where that is nothing."""
    if not found:
        return "_files\n"
    quoted = " ".join(shlex.quote(_described(value, text)) for value, text in found)
    space = " -S ''" if all(value.endswith("=") for value, _ in found) else ""
    return f"local -a found; found=({quoted}); _describe -V idkit found{space}\n"


def _described(value: str, text: str) -> str:
    escaped = value.replace("\\", "\\\\").replace(":", "\\:")
    return f"{escaped}:{text}" if text else escaped
