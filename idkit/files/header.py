"""Does the first row of a text name its columns?"""

from collections.abc import Sequence
from itertools import pairwise

from idkit.files.cells import as_number, is_integer, is_word, other_notation

FEWER = 3  # decimals, for which a row of integers above decimals is no chance

Row = Sequence[str]


def names_columns(first: Row, others: Sequence[Row], *, grid: bool = True) -> bool:
    """Whether the first row holds names, not values.

    A word above numbers is a name. Numbers are values, unless they count from 0, as pandas names
    columns; or ascend, as a grid of settings does, above numbers with more decimals.

    Args:
        first: the first row.
        others: some rows below it.
        grid: whether numbers beside words may be such a grid; word vectors have no header.

    >>> names_columns(["0", "1"], [["3", "4"]]), names_columns(["3", "1"], [["0", "1"]])
    (True, False)
    >>> names_columns(["the", "0.3"], [["a", "0.1"]]), names_columns(["", "0.3"], [["", "0.1"]])
    (False, False)
    """
    words = [is_word(cell) and other_notation(cell) is None for cell in first]
    if not any(words):
        return _are_names(first, others)
    below = [any(map(is_word, column)) for column in zip(*others, strict=True)]
    if any(word and not lower for word, lower in zip(words, below, strict=False)):
        return True
    numbers = [cell for cell in first if as_number(cell) is not None]
    if numbers:
        return words[0] and (count(numbers) or (grid and _are_settings(numbers, others)))
    return not any(cell for cell, word in zip(first, words, strict=True) if not word)


def count(cells: Row) -> bool:
    """Whether some cells are 0, 1, 2, ...: names that pandas gives."""
    return list(cells) == [str(number) for number in range(len(cells))]


def _are_names(first: Row, others: Sequence[Row]) -> bool:
    """The same for a row without words: `others` are numbers, too, or words in the first column."""
    index = first[0] == ""  # above the row names
    names = first[index:]
    if not names or not others or not all(map(is_integer, names)):
        return False
    if count(names):
        integers = any(is_integer(cell) for row in others for cell in row[index:])
        return index or len(names) > 1 or not integers
    return _are_settings(names, [row[index:] for row in others], fewer=FEWER)


def _are_settings(numbers: Row, others: Sequence[Row], *, fewer: int = 1) -> bool:
    """Whether numbers ascend, and have so many fewer decimals than each of the rows."""
    short = all(_decimals(numbers) + fewer <= _decimals(row) for row in others)
    return bool(others) and len(numbers) > 1 and short and _ascend(numbers)


def _decimals(cells: Row) -> int:
    """The most digits after the point of a number among some cells; those of 1e-3 are not told."""
    return max(
        (len(cell.partition(".")[2]) for cell in cells if as_number(cell) is not None), default=0
    )


def _ascend(numbers: Row) -> bool:
    return all(float(a) < float(b) for a, b in pairwise(numbers))
