"""The signals that end a command, and what its exit code is then."""

import signal
from types import FrameType
from typing import NoReturn

from idkit.errors import ExitCode


class SignalledError(BaseException):
    """A signal, raised where the program stands: temporary files are taken away."""


class Signalled:
    """Handles a signal, and remembers it: a library may swallow what is raised in its midst.

    Attributes:
        signal: the number of the first signal; None before.
    """

    def __init__(self) -> None:
        self.signal: int | None = None

    def __call__(self, number: int, _frame: FrameType | None) -> NoReturn:
        """Raises the signal as an error."""
        self.signal = self.signal or number
        raise SignalledError(number)


def ending() -> tuple[signal.Signals, ...]:
    """The signals that end a command: Ctrl-C, kill."""
    return (signal.SIGINT, signal.SIGTERM)


def exit_code(number: int) -> ExitCode:
    """The exit code of a command that a signal has ended.

    >>> exit_code(2), exit_code(15), exit_code(1)
    (<ExitCode.INTERRUPTED: 130>, <ExitCode.TERMINATED: 143>, <ExitCode.TERMINATED: 143>)
    """
    return ExitCode.INTERRUPTED if number == signal.SIGINT else ExitCode.TERMINATED
