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
    """The signals that end a command: Ctrl-C, kill, and a terminal that is closed.

    The last only where it means something: `nohup` has it ignored.
    """
    always = (signal.SIGINT, signal.SIGTERM)
    hangup: signal.Signals | None = getattr(signal, "SIGHUP", None)  # not on every system
    if hangup is None or signal.getsignal(hangup) is signal.SIG_IGN:
        return always
    return (*always, hangup)


def exit_code(number: int) -> ExitCode:
    """The exit code of a command that a signal has ended.

    >>> exit_code(2), exit_code(15), exit_code(1)
    (<ExitCode.INTERRUPTED: 130>, <ExitCode.TERMINATED: 143>, <ExitCode.TERMINATED: 143>)
    """
    return ExitCode.INTERRUPTED if number == signal.SIGINT else ExitCode.TERMINATED
