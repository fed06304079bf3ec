"""What a file is, judged by its content and never by its name."""

import codecs
from enum import StrEnum

from idkit.errors import IdkitError
from idkit.files.contents import Content
from idkit.files.npy import MAGIC

HEAD = 4096
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
UNPICKLED = "which idkit never unpickles: save the arrays as .npz or .safetensors"
FOREIGN = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"%PDF": "a PDF document",
    codecs.BOM_UTF16_LE: "UTF-16 text: save it as UTF-8",
    codecs.BOM_UTF16_BE: "UTF-16 text: save it as UTF-8",
    b"\x89HDF": "an HDF5 file: save the arrays as .npz or .safetensors",
    b"MATLAB 5": "a MATLAB file: save the arrays as .npz or .safetensors",
    b"PAR1": "a Parquet file: save it as .csv",
    b"SQLite": "an SQLite database",
    b"\x7fELF": "a program",
    b"\x1f\x8b": "gzip: unpack it first",
    b"BZh": "bzip2: unpack it first",
    b"\xfd7zXZ": "xz: unpack it first",
    b"\x28\xb5\x2f\xfd": "zstd: unpack it first",
    b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19": f"a PyTorch file (pickle inside), {UNPICKLED}",
    **{bytes([0x80, protocol]): f"a Python pickle, {UNPICKLED}" for protocol in range(2, 6)},
}


class Kind(StrEnum):
    """The formats that idkit reads."""

    SAFETENSORS = "safetensors"
    NPZ = "NPZ"
    NPY = "npy"
    CSV = "CSV or TSV"
    JSON = "JSON"


def recognise(content: Content) -> Kind:
    """The format of some bytes.

    Raises:
        IdkitError: when idkit does not read it; the text says what it seems to be.
    """
    head = bytes(content.buffer[:HEAD])
    if head.startswith(ZIP):
        return Kind.NPZ
    if head.startswith(MAGIC):
        return Kind.NPY
    if _begins_like_safetensors(head):
        return Kind.SAFETENSORS
    if not _is_text(head):
        raise IdkitError(f"{content.label} is {_foreign(head)}")
    opening = head.removeprefix(codecs.BOM_UTF8).lstrip()
    return Kind.JSON if opening.startswith((b"{", b"[")) else Kind.CSV


def _foreign(head: bytes) -> str:
    for start, what in FOREIGN.items():
        if head.startswith(start):
            return what
    return (
        "not .safetensors, .npz, .npy or a table of UTF-8 text "
        f"(it begins with the bytes {head[:8].hex(' ')})"
    )


def _begins_like_safetensors(head: bytes) -> bool:
    """A length of 8 bytes, which are not all text, and then a JSON object."""
    return head[8:9] == b"{" and not _is_text(head[:8])


def _is_text(head: bytes) -> bool:
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return all(character >= " " or character in "\t\r\n\f" for character in text)
