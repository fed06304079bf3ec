"""What a file is that idkit does not read, as far as its bytes tell, and how to get it read."""

import codecs
import re
import zlib
from collections.abc import Sequence
from pathlib import Path

from idkit.files import conversions
from idkit.files.contents import Content
from idkit.files.conversions import by_python, in_r
from idkit.files.zipped import LZMAError

PEEK = 1 << 20  # bytes of a packed file, to see what is in it
SEEN = 512  # bytes of what is in it
UNPICKLED = "which idkit never unpickles"
TRUSTED = f"{UNPICKLED}; if trusted"
KINDS = {  # how a file begins, and what it is
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"II*\x00": "a TIFF image",
    b"MM\x00*": "a TIFF image",
    b"RIFF": "a sound, a picture or a film (RIFF)",
    b"%PDF": "a PDF document",
    b"\xd0\xcf\x11\xe0": "an old Office file: save the sheet as .csv",
    codecs.BOM_UTF16_LE: "UTF-16 text: save it as UTF-8",
    codecs.BOM_UTF16_BE: "UTF-16 text: save it as UTF-8",
    b"SQLite": "an SQLite database: export the table as .csv",
    b"CDF": "a NetCDF file: save the arrays as .npz or .safetensors",
    b"SIMPLE  =": "a FITS file: save the arrays as .npz or .safetensors",
    b"GGUF": "a GGUF model: save its tensors as .safetensors",
    b"\x7fELF": "a program",
    b"Rar!": "a RAR archive: unpack it first",
    b"7z\xbc\xaf": "a 7-Zip archive: unpack it first",
    b"\x04\x22\x4d\x18": "lz4: unpack it first",
    b"\x28\xb5\x2f\xfd": "zstd: unpack it first",
}
BY_CODE = {  # the same, of what Python makes something that idkit reads
    b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19": (
        f"is a PyTorch file (pickle inside), {UNPICKLED}",
        conversions.TORCH,
    ),
    b"\x89HDF": ("is an HDF5 file; with the NAME of the dataset", conversions.HDF5),
    b"MATLAB 5": ("is a MATLAB file; with the NAME of the matrix", conversions.MATLAB),
    b"MATLAB 7": ("is a MATLAB 7.3 file; with the NAME of the matrix", conversions.MATLAB_HDF5),
    b"PAR1": ("is a Parquet file", conversions.PARQUET),
    b"ARROW1": ("is an Arrow file", conversions.FEATHER),
    b"FEA1": ("is a Feather file", conversions.FEATHER),
}
TEXTS = {  # of text, in lower case
    b"version https://git-lfs": "is a git-lfs pointer, not the file itself: run 'git lfs pull'",
    b"<!doctype html": "is an HTML page, not data: download the file itself (the page may say why)",
    b"<html": "is an HTML page, not data: download the file itself (the page may say why)",
    b"<?xml": "is an XML document, not data: if it was downloaded, it may say why",
    b"<svg": "is an SVG image",
    b"{\\rtf": "is an RTF document: save it as plain text",
}
R_WORKSPACE = re.compile(rb"RD[XAB][23]\n")
R_VALUE = re.compile(rb"X\n\x00\x00\x00[\x02\x03]|A\n[23]\n\d{6}\n\d{6}\n")
PICKLES = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))
OLD_PICKLE = re.compile(rb"(\([dl]p\d+\n|c[\w.]+\n\w+\n[pq]|[\]}]q.|\([dl]q.)", re.DOTALL)
WORD2VEC = re.compile(rb"\d+ \d+\n")
PACKED = {  # how a packed file begins, and what it is
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"]\x00\x00": "lzma",
    b"x\x01": "zlib",
    b"x^": "zlib",
    b"x\x9c": "zlib",
    b"x\xda": "zlib",
}
GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS  # either, told apart by its header
LZMA_MEMORY = 1 << 27


def unread(content: Content, head: bytes) -> str:
    """What to say of a file that is neither text nor a file of arrays.

    Args:
        content: the file.
        head: how it begins.
    """
    label = content.label
    for start, (what, code) in BY_CODE.items():
        if head.startswith(start):
            if start == b"\x89HDF" and label.endswith(".h5ad"):
                return by_python(label, "is an AnnData file", conversions.ANNDATA)
            return by_python(label, what, code)
    for start, what in KINDS.items():
        if head.startswith(start):
            return f"{label} is {what}"
    if head[257:262] == b"ustar":
        return f"{label} is a tar archive: unpack it first"
    known = _pickle(content, head) or _r(label, head) or _packed(content, head)
    if known is None and WORD2VEC.match(head):
        known = by_python(label, "is a binary file of word2vec", conversions.WORD2VEC)
    return known or (
        f"{label} is not .safetensors, .npz, .npy or a table of UTF-8 text "
        f"(it begins with the bytes {head[:8].hex(' ')})"
    )


def unread_text(content: Content, head: bytes) -> str | None:
    """What to say of a file of text that is no table; None where it may be one."""
    label = content.label
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()
    for beginning, what in TEXTS.items():
        if start[: len(beginning)].lower() == beginning:
            return f"{label} {what}"
    if start.startswith(b"%%MatrixMarket"):
        return by_python(label, "is a Matrix Market file", conversions.MATRIX_MARKET)
    return _pickle(content, head) or _r(label, head)


def of_objects(label: str, key: str | None, shape: Sequence[int]) -> str:
    """What to say of an array of Python objects.

    Args:
        label: the file.
        key: the array of an NPZ; None for that of an `.npy` file.
        shape: the length along each axis.
    """
    code = conversions.OBJECTS if shape else conversions.DICT
    return by_python(
        label,
        f"holds pickled Python objects, {TRUSTED}",
        code if key is None else conversions.MEMBERS,
        key=key,
    )


def zip_without_arrays(label: str, names: Sequence[str]) -> str:
    """What to say of a zip file.

    Args:
        label: the file.
        names: its members.
    """
    if any(name.endswith("data.pkl") for name in names):
        return by_python(
            label, f"is a PyTorch file (pickle inside), {UNPICKLED}", conversions.TORCH
        )
    if any(name.startswith("xl/") for name in names):
        return by_python(label, "is an Excel workbook; its first sheet", conversions.EXCEL)
    if any(name in ("[Content_Types].xml", "mimetype") for name in names):
        return f"{label} is an office document: save its table as .csv"
    if any(name.endswith(".weights.h5") for name in names):
        return (
            f"{label} is a Keras model: save what it predicts, np.save('z.npy', model.predict(x))"
        )
    if any(Path(name).name in (".zgroup", ".zarray", "zarr.json") for name in names):
        return by_python(label, "is a zarr archive", conversions.ZARR)
    held = ", ".join(names[:3]) or "nothing"
    return f"{label} is a zip file without .npy arrays (it holds {held})"


def _pickle(content: Content, head: bytes) -> str | None:
    old = OLD_PICKLE.match(head) and content.buffer[-1:] == b"."
    if not old and not head.startswith(PICKLES):
        return None
    if b"joblib" in content.buffer[:PEEK]:
        return by_python(content.label, f"is a joblib file, {TRUSTED}", conversions.JOBLIB)
    return by_python(content.label, f"is a Python pickle, {TRUSTED}", conversions.PICKLE)


def _r(label: str, head: bytes) -> str | None:
    if R_WORKSPACE.match(head):
        return in_r(label, "is a workspace of R; with the NAME of the table", conversions.RDATA)
    return in_r(label, "is a file of R", conversions.RDS) if R_VALUE.match(head) else None


def _packed(content: Content, head: bytes) -> str | None:
    method = next((name for start, name in PACKED.items() if head.startswith(start)), None)
    if method is None:
        return None
    inside = _beginning(bytes(content.buffer[:PEEK]), method)
    if inside.startswith(PICKLES):
        what = f"is a joblib file, or a packed pickle, {TRUSTED}"
        return by_python(content.label, what, conversions.JOBLIB)
    return _r(content.label, inside) or f"{content.label} is {method}: unpack it first"


def _beginning(packed: bytes, method: str) -> bytes:
    """The first bytes of what is packed; none where it does not unpack."""
    try:
        if method in ("gzip", "zlib"):
            return zlib.decompressobj(GZIP_OR_ZLIB).decompress(packed, SEEN)
        if method == "bzip2":
            import bz2  # some Pythons are built without these

            return bz2.BZ2Decompressor().decompress(packed, SEEN)
        import lzma

        return lzma.LZMADecompressor(memlimit=LZMA_MEMORY).decompress(packed, SEEN)
    except (zlib.error, OSError, ValueError, EOFError, ImportError, LZMAError):
        return b""
