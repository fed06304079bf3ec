"""What a file is, judged by its content and never by its name."""

import codecs
from enum import StrEnum

from idkit.errors import IdkitError
from idkit.files.contents import Content
from idkit.files.foreign import unread, unread_text
from idkit.files.npy import MAGIC

HEAD = 4096
ZIP = (b"PK\x03\x04", b"PK\x05\x06")


class Kind(StrEnum):
    """The formats that idkit reads."""

    SAFETENSORS = "safetensors"
    NPZ = "NPZ"
    NPY = "npy"
    CSV = "CSV or TSV"
    TEXT = "text between blanks"  # is recognised as CSV; its lines tell
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
    if _is_utf_16(head):
        raise IdkitError(f"{content.label} is UTF-16 text: save it as UTF-8")
    if _begins_like_safetensors(head):
        return Kind.SAFETENSORS
    if not _is_text(head):
        raise IdkitError(unread(content, head))
    if (known := unread_text(content, head)) is not None:
        raise IdkitError(known)
    opening = head.removeprefix(codecs.BOM_UTF8).lstrip()
    return Kind.JSON if opening.startswith((b"{", b"[")) else Kind.CSV


def _begins_like_safetensors(head: bytes) -> bool:
    """A length of 8 bytes, which are not all text, and then a JSON object."""
    return head[8:].lstrip().startswith(b"{") and not _is_text(head[:8])


def _is_text(head: bytes) -> bool:
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return all(character >= " " or character in "\t\r\n\f" for character in text)


def _is_utf_16(head: bytes) -> bool:
    """Whether each other byte is 0 and the rest is text, as of European text without a mark."""
    return any(not any(head[high::2]) and _is_text(head[1 - high :: 2]) for high in (0, 1))
