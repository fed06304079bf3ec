"""Colours, lines and markers; grids and texts that fit."""

from hypothesis import given
from hypothesis import strategies as st
from matplotlib.cbook import is_math_text

from idkit.plots import _layout, _looks


def test_a_family_looks_the_same_whatever_stands_beside_it() -> None:
    alone = _looks.looks(["ivae"])["ivae"]
    assert _looks.looks(["other", "vae", "ivae", "a"])["ivae"] == alone
    assert _looks.looks(["ivae prior=mlp", "vae"])["ivae prior=mlp"] == alone
    assert _looks.looks(["ivae prior=mlp", "ivae"])["ivae"] == alone


@given(st.sets(st.sampled_from([*_looks.FAMILIES, *"abcdefghijklmnop"]), min_size=1))
def test_no_two_series_look_alike(names: set[str]) -> None:
    looks = _looks.looks(sorted(names))
    assert set(looks) == names
    assert len(set(looks.values())) == len(names)


def test_looks_differ_by_line_and_marker_where_print_loses_the_colour() -> None:
    assert len({look.marker for look in _looks.LOOKS}) == len(_looks.LOOKS)
    assert len({str(look.dashes) for look in _looks.LOOKS}) == len(_looks.LOOKS)


@given(st.integers(1, 200))
def test_a_grid_has_room_for_every_panel_and_no_empty_row(count: int) -> None:
    rows, columns = _layout.spread(count)
    assert count <= rows * columns < count + columns
    assert columns <= 4


@given(st.text(max_size=60), st.integers(5, 40))
def test_a_shortened_text_is_no_longer_than_asked_and_no_formula(text: str, length: int) -> None:
    short = _layout.shorten(_layout.plain(text), length)
    assert len(short.replace(r"\$", "$")) <= max(length, 0)
    assert not is_math_text(short)


@given(st.lists(st.text("ab$ _", min_size=1, max_size=30)), st.integers(5, 40))
def test_filled_lines_are_no_longer_than_asked(words: list[str], length: int) -> None:
    lines = _layout.fill(map(_layout.plain, words), length, glue=" ").split("\n")
    assert max(len(line.replace(r"\$", "$")) for line in lines) <= length
