"""The `idkit` command: its subcommands, and the one place where errors become exit codes."""

import functools
import importlib
import os
import re
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import typer
import typer.core
import typer.main

from idkit.cli import completion, cramped, home, options, show, signals, streams
from idkit.cli.signals import Signalled, SignalledError
from idkit.errors import ExitCode, IdkitError

COMMANDS = {  # in the order of a day's work, with what the list of commands says of each
    "synth": "Generate data whose true sources are known.",
    "train": "Train a model once for each seed.",
    "embed": "Write the latents of trained models.",
    "align": "Find the maps between the latents of runs.",
    "mcc": "Score how alike the latents of runs are.",
    "wilcoxon": "Test whether models differ, over cells.",
    "plot": "Draw a figure: PNG, PDF or SVG.",
    "data": "List, fetch and verify data sets.",
    "info": "Say what a file is and where it came from.",
}
UsageFault: type[Exception] = typer.BadParameter.__mro__[1]  # which typer itself does not export
JARGON = (  # of the library that checks options, and what it means
    (r"Value error, ", ""),
    (r"Input should be a valid integer\b.*", "expected a whole number"),
    (r"Input should be a valid number\b.*", "expected a number"),
    (r"Input should be a finite number", "expected a finite number"),
    (r"Input should be greater than or equal to (\S+)", r"expected at least \1"),
    (r"Input should be less than or equal to (\S+)", r"expected at most \1"),
    (r"Input should be greater than (\S+)", r"expected more than \1"),
    (r"Input should be less than (\S+)", r"expected less than \1"),
)
PRODUCTIVE = (ExitCode.DONE, ExitCode.CONDITION_FALSE, ExitCode.SEEDS_FAILED)  # they print
BUG = 70  # EX_SOFTWARE of sysexits.h; 1 means that a condition asked for is false


class Commands(typer.core.TyperGroup):
    """Subcommands that are loaded when they are called, so that help is instant."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first argument names, in place of its card."""
        name, card, rest = super().resolve_command(ctx, args)
        return name, load(name) if name in COMMANDS else card, rest


def load(name: str) -> Any:
    """A subcommand, from the file of its name: a function, or a Typer app of its own."""
    command = getattr(importlib.import_module(f"idkit.cli.{name}"), name)
    if not isinstance(command, typer.Typer):
        alone = typer.Typer(add_completion=False, rich_markup_mode=None)
        alone.command(name)(options.with_common(command))
        command = alone
    return _plain(typer.main.get_command(command))


def _plain(command: Any) -> Any:
    """Calls the arguments in a command's help by their metavars alone.

    The library puts braces, more dots and a type of Python's around them.
    """
    for parameter in command.params:
        if parameter.param_type_name == "argument" and parameter.metavar:
            parameter.get_usage_pieces = lambda _context, name=parameter.metavar: [name]
            parameter.get_help_record = functools.partial(_record, parameter.get_help_record)
    for inner in getattr(command, "commands", {}).values():
        _plain(inner)
    return command


def _record(given: Callable[..., tuple[str, str] | None], ctx: Any) -> tuple[str, str] | None:
    record = given(ctx)
    return record and (record[0].partition(" <")[0], record[1])


app = typer.Typer(
    name="idkit",
    cls=Commands,
    help="""Are learned representations the same each time a model is retrained?

    Trains a model over many seeds, aligns what it learnt, and scores the agreement by the
    mean correlation coefficient (MCC; not Matthews). Bring latents of your own: mcc, align,
    wilcoxon and plot read .npz, .npy, .safetensors and .csv from anywhere.

    synth -> train -> embed -> align -> mcc -> wilcoxon -> plot

    \b
    First steps:
      idkit train --seed 1-5
      idkit embed runs/*/model.safetensors
      idkit mcc runs/*/latents.npz""",
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@app.callback()
def idkit(version: options.Version = False) -> None:
    """Holds the options that come before a subcommand."""


def _card() -> None:
    """Stands in the list of commands for one that is not loaded."""


for _name, _summary in COMMANDS.items():
    app.command(_name, help=_summary)(_card)


def main() -> NoReturn:
    """Runs the command line and leaves with its exit code."""
    streams.guard()
    argv = sys.argv[1:]
    asked = os.environ.get(completion.VARIABLE)
    code = None if asked is None else _complete(asked)
    if code is None:
        code = run(argv, listening=True)
    full = streams.finish()
    if full is not None and code in PRODUCTIVE:
        show.error(_called(argv), f"cannot write to standard output: {full.strerror}")
        code = ExitCode.BAD_INPUT
    sys.exit(code)


def _complete(asked: str) -> int | None:
    """Answers a shell that completes a line; None where nothing is asked that is known here."""
    try:
        answer = completion.answer(asked, typer.main.get_command(app))
    except (UsageFault, IdkitError):  # there is no such command
        return ExitCode.DONE
    if answer is None:
        return None
    sys.stdout.write(answer[0])
    return answer[1]


def run(argv: Sequence[str], *, listening: bool = False) -> int:
    """Runs one command line.

    Args:
        argv: the arguments after `idkit`.
        listening: whether signals are handled, for good.

    Returns:
        One of `errors.ExitCode`, or 70 for a bug, whose traceback is on stderr. Expected errors
        are one line on stderr.
    """
    who = _called(argv)
    try:
        for number in signals.ending() if listening else ():
            signal.signal(number, Signalled())
        home.settle()
        return (
            app(args=_spaced(argv) or ["--help"], prog_name="idkit", standalone_mode=False)
            or ExitCode.DONE
        )
    except BrokenPipeError:  # of an output that is a pipe; before OSError, of which it is a kind
        return ExitCode.DONE
    except SystemExit as leaving:  # of completion; and what typer makes of a closed pipe
        gone = isinstance(leaving.__context__, BrokenPipeError)
        return leaving.code if isinstance(leaving.code, int) and not gone else ExitCode.DONE
    except UsageFault as error:
        show.error(who, _usage(error))
        return ExitCode.USAGE
    except IdkitError as error:
        show.error(who, str(error))
        return error.exit_code
    except OSError as error:
        if cramped.is_lack(error):
            return _no_memory(who)
        show.error(who, f"{error.filename or 'input/output'}: {error.strerror or error}")
        return ExitCode.BAD_INPUT
    except (KeyboardInterrupt, typer.Abort):
        show.error(who, "interrupted")
        return ExitCode.INTERRUPTED
    except SignalledError as error:
        code = signals.exit_code(error.args[0])
        show.error(who, code.name.lower())
        return code
    except Exception as error:  # the last line of defence: a bug keeps its traceback and its code
        if cramped.is_lack(error):
            return _no_memory(who)
        library = cramped.library(error)
        if library is None:
            return _bug(who)
        show.error(who, f"cannot load {library}: {error}: install idkit again, with what it needs")
        return ExitCode.MISSING


def _spaced(argv: Sequence[str]) -> list[str]:
    """The arguments with `-o=FILE` as `-o FILE`, which the library takes for a file `=FILE`.

    >>> _spaced(["-o=~/a.npz", "--to=b", "-p", "kl=mc"])
    ['-o', '~/a.npz', '--to=b', '-p', 'kl=mc']
    """
    found = ((word, re.fullmatch(r"(-[a-z])=(.+)", word, re.DOTALL)) for word in argv)
    return [part for word, short in found for part in (short.groups() if short else (word,))]


def _no_memory(who: str) -> int:
    """Says that there is too little memory, for the data or for the libraries themselves."""
    show.error(
        who, "not enough memory for this: ask for less (rows, --dz, --threads), or allow more"
    )
    return ExitCode.BAD_INPUT


def _called(argv: Sequence[str]) -> str:
    """What an error of a command line begins with."""
    return " ".join(["idkit", *[word for word in argv[:1] if word in COMMANDS]])


def _bug(who: str) -> int:
    """Shows the traceback of what no user can cure."""
    show.trace()
    show.error(who, "this is a bug in idkit, please report it with the lines above")
    return BUG


def _usage(error: BaseException) -> str:
    """The library's usage message as one line, with where to read on."""
    message = " ".join(str(getattr(error, "format_message", lambda: error)()).split())
    for said, meant in JARGON:
        message = re.sub(said, meant, message)
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "idkit"
    return f"{message.rstrip('.')} (see '{path} --help')"
