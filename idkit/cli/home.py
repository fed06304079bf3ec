"""Where the user is at home: `~` in paths, and a place for caches where there is no home."""

import os
from pathlib import Path

from idkit.errors import UsageError

NAMES = ("LOGNAME", "USER", "LNAME", "USERNAME")  # of variables that name the user


def settle() -> None:
    """Gives libraries a place and a name that they ask for, where the system knows none.

    A container may run as a user of no name and no home folder; caches of data sets, fonts and
    compiled code then lie in the folder for temporary files.
    """
    home = _home()
    if home is None:
        os.environ.setdefault("XDG_CACHE_HOME", str(_substitute()))
    if home is None or not os.access(home, os.W_OK):
        os.environ.setdefault("MPLCONFIGDIR", str(_substitute() / "matplotlib"))
    if not any(map(os.environ.get, NAMES)) and not _is_known():
        os.environ["USER"] = _name()


def expanded(path: str) -> str:
    """A path, or FILE:KEY, whose `~` is the home folder, as shells write it only after a space.

    Raises:
        UsageError: when there is no home folder.
    """
    head, slash, rest = path.partition("/")
    if not head.startswith("~"):
        return path
    try:
        return f"{Path(head).expanduser()}{slash}{rest}"
    except RuntimeError:
        if head != "~":  # nobody is called so: it is the name of a file
            return path
        raise UsageError(f"there is no home folder for the ~ of {path}: write it out") from None


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:
        return None


def _is_known() -> bool:
    """Whether the system has a name for the user."""
    try:
        import pwd
    except ImportError:  # not on every system
        return True
    try:
        pwd.getpwuid(os.getuid())
    except KeyError:
        return False
    return True


def _name() -> str:
    return f"uid{os.getuid()}" if hasattr(os, "getuid") else "user"


def _substitute() -> Path:
    """A folder of the user's own for what belongs into a home."""
    import tempfile

    folder = Path(tempfile.gettempdir()) / f"idkit-{_name()}"
    if folder.exists() and hasattr(os, "getuid") and folder.stat().st_uid != os.getuid():
        return Path(tempfile.mkdtemp(prefix="idkit-"))  # somebody else has put it there
    return folder
