"""Whatever pandas, numpy, R, or a word model writes of a matrix is read as that matrix."""

import io
import string
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from idkit import files

Floats = NDArray[np.float64]
Writer = Callable[[Floats], str]
SHAPES = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=6)
MATRICES = arrays(np.float64, SHAPES, elements=st.floats(allow_infinity=True, allow_nan=True))


def read(text: str) -> files.Artefact:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "matrix"
        path.write_text(text, encoding="utf-8", newline="")
        return files.read(str(path))


def letters(z: Floats) -> list[str]:
    return list(string.ascii_lowercase[: z.shape[1]])


def counts(z: Floats) -> bool:
    """Whether a column is 5, 6, 7, ...: no writer can say whether it is a coordinate."""
    with np.errstate(all="ignore"):
        return bool((np.diff(z, axis=0) == 1).all(axis=0).any()) and len(z) > 2


def to_csv(z: Floats, *, sep: str = ",", index: bool = True, header: bool = True) -> str:
    frame = pd.DataFrame(z, columns=letters(z))
    text: str = frame.to_csv(sep=sep, index=index, header=header)
    return text


def unnamed(z: Floats) -> str:
    text: str = pd.DataFrame(z).to_csv(index=False)
    return text


def unnamed_with_index(z: Floats) -> str:
    text: str = pd.DataFrame(z).to_csv()
    return text


def shuffled_index(z: Floats) -> str:
    text: str = pd.DataFrame(z, columns=letters(z), index=range(len(z), 0, -1)).to_csv()
    return text


def twice(z: Floats) -> str:
    """Written, read and written again, as happens to every table that has an index."""
    text: str = pd.read_csv(io.StringIO(to_csv(z))).to_csv()
    return text


def r(z: Floats, *, sep: str, corner: bool) -> str:
    """R's write.table; write.csv has a corner above the row names."""
    names = [f'"V{j + 1}"' for j in range(z.shape[1])]
    rows = [
        [f'"{i}"', *("NA" if np.isnan(x) else repr(x) for x in row)]
        for i, row in enumerate(z.tolist(), start=1)
    ]
    lines = [['""', *names] if corner else names, *rows]
    return "".join(sep.join(line) + "\n" for line in lines)


def savetxt(z: Floats, **how: str) -> str:
    stream = io.StringIO()
    np.savetxt(stream, z, **how)
    return stream.getvalue()


def word_vectors(z: Floats, *, first_line: bool) -> str:
    first = [f"{z.shape[0]} {z.shape[1]}\n"] if first_line else []
    return "".join(
        [*first, *(f"w{i} {' '.join(map(repr, row))}\n" for i, row in enumerate(z.tolist()))]
    )


WRITERS: dict[str, Writer] = {
    "pandas": to_csv,
    "pandas without an index": lambda z: to_csv(z, index=False),
    "pandas with tabs": lambda z: to_csv(z, sep="\t"),
    "pandas with semicolons": lambda z: to_csv(z, sep=";", index=False),
    "pandas with another index": shuffled_index,
    "pandas twice": twice,
    "pandas without names": unnamed,
    "pandas without names, with an index": unnamed_with_index,
    "R's write.csv": lambda z: r(z, sep=",", corner=True),
    "R's write.table": lambda z: r(z, sep=" ", corner=False),
    "R's write.table with commas": lambda z: r(z, sep=",", corner=False),
    "numpy with names": lambda z: savetxt(z, header=" ".join(letters(z))),
    "numpy with commas and names": lambda z: savetxt(
        z, fmt="%.17g", delimiter=",", header=",".join(letters(z)), comments=""
    ),
}
HEADERLESS: dict[str, Writer] = {
    "pandas without a header": lambda z: to_csv(z, index=False, header=False),
    "numpy": savetxt,
    "numpy in columns": lambda z: savetxt(z, fmt="%25.17e", footer="the end"),
    "numpy with commas": lambda z: savetxt(z, delimiter=", ", header="seed 3, digits"),
    "numpy with tabs": lambda z: savetxt(z, delimiter="\t"),
    "word2vec": lambda z: word_vectors(z, first_line=True),
    "GloVe": lambda z: word_vectors(z, first_line=False),
}


@pytest.mark.parametrize("writer", [*WRITERS, *HEADERLESS])
@given(z=MATRICES)
def test_a_matrix_comes_back_exactly(writer: str, z: Floats) -> None:
    assume(not counts(z))
    assume(np.isfinite(z).any(axis=0).all())  # an empty column may be no column
    text = {**WRITERS, **HEADERLESS}[writer](z)
    assert np.array_equal(read(text).array("z"), z, equal_nan=True), text
