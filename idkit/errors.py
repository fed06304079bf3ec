"""What a user can cause and cure, each with the exit code that the command line gives it."""

import re
import unicodedata
from enum import IntEnum

LONGEST = 300  # characters of a line that says what is wrong
SPEAKER = 20  # of these, for who says it: `idkit wilcoxon: `
SHORTENED_TO = 48  # characters that a long path or name keeps at least
CUT = "..."


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

    Raised as it is for bad or incomparable input. Whatever names and values of a file go into the
    text, it is one line (see `one_line`).
    """

    exit_code = ExitCode.BAD_INPUT

    def __init__(self, text: str = "") -> None:
        super().__init__(one_line(text, LONGEST - SPEAKER))


class DamagedError(IdkitError):
    """A file is not as it was written: it is cut off, or its bytes contradict each other."""


class UsageError(IdkitError):
    """The command line, or an argument of a function, does not make sense by itself."""

    exit_code = ExitCode.USAGE


class MissingError(IdkitError):
    """A data set or an optional part of idkit is not on this machine."""

    exit_code = ExitCode.MISSING


def one_line(text: str, longest: int = LONGEST) -> str:
    r"""Some text as a line that a terminal shows as it stands, and that is not too long.

    Line breaks become spaces, control characters their escapes. Where the line is too long, its
    longest words (paths, names) are cut in their middle, and then the line itself, which keeps its
    beginning and its end: what is wrong, and what to do.

    >>> one_line("no array 'z\x1b[2J'\n (it holds a)")
    "no array 'z\\x1b[2J' (it holds a)"
    >>> one_line("no such file: " + 40 * "folder/" + "a.npz", 80)
    'no such file: folder/folder/folder/folder/fold...lder/folder/folder/folder/a.npz'
    """
    line = re.sub(r" *[\t\n\v\f\r][\t\n\v\f\r ]*", " ", text.strip())
    words = "".join(map(_shown, line)).split(" ")
    too_many = sum(map(len, words)) + len(words) - 1 - longest
    for at in sorted(range(len(words)), key=lambda at: -len(words[at])):
        if too_many <= 0:
            break
        kept = max(SHORTENED_TO, len(words[at]) - too_many)
        too_many -= len(words[at]) - min(kept, len(words[at]))
        words[at] = _cut(words[at], kept, front=1 / 2)
    return _cut(" ".join(words), longest, front=1 / 2)


def _shown(letter: str) -> str:
    if letter.isprintable() or unicodedata.category(letter) == "Zs":
        return letter
    return letter.encode("unicode_escape").decode()


def _cut(text: str, longest: int, *, front: float) -> str:
    """The front and the end of a text of more than so many characters."""
    if len(text) <= longest:
        return text
    before = round((longest - len(CUT)) * front)
    return text[:before] + CUT + text[len(text) - (longest - len(CUT) - before) :]
