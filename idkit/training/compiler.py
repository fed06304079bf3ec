"""Whether torch's compiler has a folder for what it makes."""

import getpass
import os
import re
import tempfile
from pathlib import Path

FOLDER = "TORCHINDUCTOR_CACHE_DIR"  # the variable by which torch and its processes know it
NAMELESS = (KeyError, ModuleNotFoundError, OSError)  # how Python says that a user has no name


def hindrance() -> str:
    """Why nothing can be compiled in this process and those that it starts; empty where it can.

    torch makes the folder of its cache for steps that are not compiled, too, and ends where it
    cannot. It is then told of one that exists, in which it writes nothing as long as nothing is
    compiled.
    """
    folder = None
    try:
        folder = Path(os.environ.get(FOLDER) or _usual()).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            os.environ[FOLDER] = str(folder)
        return ""
    except OSError as error:
        os.environ[FOLDER] = os.sep
        return f"{folder or 'a cache'} cannot be written ({error.strerror or error})"


def _usual() -> str:
    """Where torch keeps it; a user without a name is called by number."""
    try:
        user = getpass.getuser()
    except NAMELESS:
        user = f"uid_{os.getuid()}"
    name = re.sub(r'[\\/:*?"<>|]', "_", user)
    return str(Path(tempfile.gettempdir()) / f"torchinductor_{name}")
