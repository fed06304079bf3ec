"""How much memory the values of one file may take where they cannot be mapped.

Values that are stored as they are take none: they are mapped. Those that are deflated, or of a
type that numpy does not have, are made anew in memory, and kept. What the file *is* decides how
much that may be, not what it claims; `limit_memory` is the one place for a user's own limit.
"""

from idkit.errors import IdkitError
from idkit.files.members import describe_bytes

GRANTED = 1 << 28  # bytes that even a small file may unpack to: zeros deflate a thousandfold
RATIO = 100  # latents do not deflate a hundredfold; a bomb does

_memory: int | None = None


def limit_memory(count: int | None) -> None:
    """Sets how many bytes the values of one file may take in memory.

    Args:
        count: bytes; None for what the file itself allows.
    """
    global _memory
    _memory = count


def unpacked(packed: int) -> int:
    """The bytes that may be made of so many bytes of a file."""
    return max(GRANTED, RATIO * packed)


class Allowance:
    """What the values of one file have taken of memory, together."""

    def __init__(self, packed: int) -> None:
        """Begins at nothing.

        Args:
            packed: bytes of the file that are not simply mapped.
        """
        self._packed = packed
        self._taken = 0

    def take(self, what: str, *, packed: int, count: int) -> None:
        """Accounts for an array, before memory is taken for it.

        Args:
            what: the array, for messages.
            packed: its bytes in the file.
            count: its bytes in memory, as the file claims.

        Raises:
            IdkitError: when it would be too much, for itself or with those of the file before it.
        """
        total = self._taken + count
        others = f", {describe_bytes(self._taken)} are unpacked already" if self._taken else ""
        if count > unpacked(packed) or total > unpacked(self._packed):
            raise IdkitError(
                f"{what} claims to unpack {describe_bytes(packed)} to {describe_bytes(count)}"
                f"{others}: refused as a zip bomb; save it with numpy.savez"
            )
        if _memory is not None and total > _memory:
            raise IdkitError(
                f"{what} needs {describe_bytes(count)} of memory{others}, and "
                f"{describe_bytes(_memory)} may be used: save it with numpy.savez, which is mapped"
            )
        self._taken = total
