"""What a user can cause and cure, each with the exit code that the command line gives it."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of every `idkit` command."""

    DONE = 0
    CONDITION_FALSE = 1
    USAGE = 2
    BAD_INPUT = 3
    MISSING = 4
    SEEDS_FAILED = 5
    INTERRUPTED = 130
    TERMINATED = 143


class IdkitError(Exception):
    """A fault that the user can cure; its text says what is wrong, what was found, what to do.

    Raised as it is for bad or incomparable input.
    """

    exit_code = ExitCode.BAD_INPUT


class UsageError(IdkitError):
    """The command line, or an argument of a function, does not make sense by itself."""

    exit_code = ExitCode.USAGE


class MissingError(IdkitError):
    """A data set or an optional part of idkit is not on this machine."""

    exit_code = ExitCode.MISSING
