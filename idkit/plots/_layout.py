"""Where things stand in a figure: grids of panels, the legend, and texts that fit."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

EM = 8 / 72  # inches: the size of the type
LETTER = 0.58  # of that: how wide a letter is, on average
WIDE_LETTER = 0.64  # of that: how wide, in a text of wide ones
BESIDE = 2.4  # of that: the gaps beside an entry of a legend


def panels(
    rows: int,
    columns: int,
    *,
    size: tuple[float, float],
    aside: float = 0.0,
    share: bool = False,
) -> tuple[Figure, list[list[Axes]]]:
    """A figure with a grid of panels.

    Args:
        rows: of the grid.
        columns: of the grid.
        size: of one panel, width and height in inches.
        aside: inches of width for what stands beside the panels.
        share: whether all panels have one y axis.

    Returns:
        The figure, and its axes row by row.
    """
    shape = (size[0] * columns + 0.4 + aside, size[1] * rows + 0.3)
    figure = Figure(figsize=shape, layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, sharey=share).tolist()


def spread(count: int) -> tuple[int, int]:
    """Rows and columns of a grid for `count` panels: at most 4 side by side, to fit a page."""
    columns = count if count <= 3 else min(4, math.ceil(count**0.5))
    return math.ceil(count / columns), columns


def legend(figure: Figure, entries: Mapping[str, Any], *, handle: float = 3.0) -> None:
    """One legend below all panels, as wide as the figure allows, which grows by its height.

    Args:
        figure: the figure, whose width is final.
        entries: what stands for each text: an artist, or several drawn over each other.
        handle: the length of what stands for a text, in letters.
    """
    if not entries:
        return
    room = figure.get_figwidth() / EM - handle - BESIDE
    texts = [shorten(text, int(room / WIDE_LETTER)) for text in entries]
    widths = [EM * (handle + BESIDE + LETTER * len(_letters(text))) for text in texts]
    most = max(c for c in range(1, len(widths) + 1) if c == 1 or _fits(widths, c, figure))
    rows = math.ceil(len(widths) / most)
    figure.set_figheight(figure.get_figheight() + 1.5 * EM * rows)
    figure.legend(
        list(entries.values()),
        texts,
        loc="outside lower center",
        ncols=math.ceil(len(widths) / rows),
        handlelength=handle,
        columnspacing=1.5,
    )


def _fits(widths: Sequence[float], columns: int, figure: Figure) -> bool:
    """Whether a legend fits, whose columns are filled one after the other."""
    lengths = [len(widths) // columns + (c < len(widths) % columns) for c in range(columns)]
    ends = list(accumulate(lengths))
    total = sum(max(widths[end - n : end]) for n, end in zip(lengths, ends, strict=True))
    return total < figure.get_figwidth()


def from_zero(axes: Axes) -> None:
    """Lets a shared axis of scores begin at 0, and end no further than just above 1."""
    axes.set_ylim(0, min(1.05 * axes.get_ylim()[1], 1.02))


def plain(text: str) -> str:
    r"""A text from outside, in which a dollar is a dollar and every other letter can be drawn.

    >>> plain("a$b\tc\x1b")
    'a\\$b c�'
    """
    letters = (" " if letter == "\t" else letter for letter in text)
    drawn = (letter if letter.isprintable() or letter == "\n" else "\ufffd" for letter in letters)
    return "".join(drawn).replace("$", r"\$")


def shorten(text: str, length: int = 34) -> str:
    """The text with its middle taken out where it is longer than `length` letters.

    >>> shorten("runs/digits-vae-mlp-dz20-s1/latents.npz", 20)
    'runs/digi…atents.npz'
    """
    letters = _letters(text)
    if len(letters) <= length:
        return text
    tail = length // 2
    return "".join([*letters[: length - tail - 1], "…", *letters[-tail:]])


def _letters(text: str) -> list[str]:
    """What a text is cut and measured by: letters, a dollar of `plain`, a whole formula."""
    return re.findall(r"\\\$|\$[^$]*\$|.", text, re.DOTALL)


def fill(parts: Iterable[str], length: int, *, glue: str = ", ") -> str:
    """Some words in lines of at most `length` letters; none is torn apart.

    Args:
        parts: what stands together; empty parts are left out, long ones lose their middle.
        length: letters a line.
        glue: what stands between two parts.
    """
    lines: list[str] = []
    for part in (shorten(part, length) for part in parts if part):
        if lines and len(_letters(lines[-1] + glue + part)) <= length:
            lines[-1] += glue + part
        else:
            lines.append(part)
    return f"{glue.rstrip()}\n".join(lines)


def wrap(text: str, length: int) -> str:
    """A text in lines of at most `length` letters, broken behind spaces and hyphens before words.

    >>> wrap("epochs=200 vary=init lr=1e-05", 16).splitlines()
    ['epochs=200', 'vary=init', 'lr=1e-05']
    """
    pieces = re.split(r"(?<= )|(?<=-)(?=[A-Za-z])", text)
    return "\n".join(line.strip() for line in fill(pieces, length, glue="").split("\n"))


def hide(axes: Sequence[Axes]) -> None:
    """Takes panels of a grid that show nothing out of sight."""
    for one in axes:
        one.set_visible(False)
