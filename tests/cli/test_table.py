"""Tables on terminals of any width: whole words, every column, every row."""

import os
import pty
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from idkit.cli import run, table
from tests.conftest import command

WORDS = st.text("abc-_/=.é1", min_size=1, max_size=12).filter(lambda w: not w[0].isdigit())
TEXTS = st.lists(WORDS, min_size=1, max_size=4).map(" ".join)
NUMBERS = st.floats(-1e4, 1e4) | st.floats(-1, 1) | st.just(1e-9)
VALUES = st.none() | TEXTS | st.integers(-999, 99999) | NUMBERS


def printed(rows: list[dict[str, Any]], width: int, title: str = "") -> list[str]:
    """The lines that a terminal of a width shows."""
    console = Console(width=width, record=True, file=open("/dev/null", "w"), markup=False)  # noqa: SIM115
    for part in table.fitted(rows, title, width):
        console.print(part, soft_wrap=isinstance(part, str), highlight=False)
    console.file.close()
    return [line.rstrip() for line in console.export_text().splitlines()]


@given(
    columns=st.lists(WORDS, min_size=1, max_size=7, unique=True),
    count=st.integers(1, 4),
    width=st.integers(20, 140),
    data=st.data(),
)
def test_every_word_is_whole_and_every_line_fits(
    columns: list[str], count: int, width: int, data: st.DataObject
) -> None:
    rows = [{name: data.draw(VALUES) for name in columns} for _ in range(count)]
    lines = printed(rows, width)
    found = set(re.split(r"[\s│┃,:]+", "\n".join(lines)))
    for row in rows:
        for name, value in row.items():
            assert set(name.split()) <= found
            if isinstance(value, str):
                assert set(re.split(r"[\s,:]+", value)) <= found
            elif isinstance(value, int):
                assert str(value) in found
    if any("┃" in line for line in lines):
        assert max(map(len, (line for line in lines if line and line[0] in "┃│"))) <= width


@pytest.mark.parametrize(
    ("width", "shown", "lined"),
    [(44, "0.4223", True), (36, "0.4223", True), (34, "0.422", True), (32, "0.42", True)],
)
def test_decimals_go_before_columns(width: int, shown: str, lined: bool) -> None:
    rows = [
        {"a": "ivae", "p": 0.42234, "p_holm": 0.84468, "shift": 0.01234},
        {"a": "vade", "p": 0.02913, "p_holm": 0.08739, "shift": -0.1},
    ]
    lines = printed(rows, width)
    assert ("┃" in lines[1]) == lined
    assert lines[1].strip("┃ ").split("┃")[0].strip() == "a"
    assert re.split(r"[│\s]+", lines[3])[2] == shown
    assert max(map(len, lines)) <= width


def test_numbers_of_a_column_have_equally_many_decimals() -> None:
    lines = printed([{"x": value} for value in (-25.3421, -25.162, 9.0, 1e-5)], 80)
    assert [line.strip("│ ") for line in lines[3:7]] == [
        "-25.3421",
        "-25.1620",
        "9.0000",
        "1.0e-05",
    ]


def test_names_that_are_numbers_keep_all_their_decimals() -> None:
    rows = [{"lr": name, "out": ".7051", "95%": ".6512-.7590"} for name in ("0.00125", "0.001")]
    lines = printed(rows, 22)
    assert lines[1].split() == ["0.00125", ".71", ".65-.76"]


def test_what_all_rows_share_stands_above_them() -> None:
    rows = [{"data": "digits", "model": "vade", "run": n, "mcc_out": n / 8} for n in (1, 2)]
    lines = printed(rows, 24, title="the title of this table")
    assert lines[:2] == ["the title of this table", "data: digits,"]
    assert lines[2] == "model: vade"
    assert "mcc_out" in lines[4]


def test_a_row_is_a_list_where_nothing_else_fits() -> None:
    name = "a-word-of-many-letters"
    rows = [{"name": name, "mcc_in": n / 4, "mcc_out": n / 8, "p": None} for n in (1, 2)]
    assert printed(rows, 14) == [
        *(f"name: {name},", "p: -"),
        *("", "mcc_in   0.25", "mcc_out  0.125"),
        *("", "mcc_in   0.5", "mcc_out  0.25"),
    ]
    alone = [f"name     {name}", "mcc_in   0.25", "mcc_out  0.125", "p        -"]
    assert printed(rows[:1], 14) == alone


def test_an_empty_table_is_nothing() -> None:
    assert printed([], 80) == []


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("mcc a.npy b.npy c.npy --mode strong,weak", "group mode k runs in out 95% chance"),
        ("mcc a.npy b.npy c.npy --pairs", "mode corr a b k mcc_in mcc_out chance_in chance_out"),
        ("wilcoxon t.csv --value mcc --by model --pair data", "a b n p p_holm shift 95% interval"),
        ("info a.npy", "array dtype shape min max nonfinite constant"),
        ("data list", "data status"),
    ],
)
def test_every_column_is_named_in_a_terminal_of_any_width(
    line: str,
    names: str,
    columns: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    prepare()
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(columns))
    assert run([*line.split(), "-q"]) == 0
    out = re.sub("\x1b\\[[0-9;]*m", "", capsys.readouterr().out)
    lines = [text.rstrip() for text in out.splitlines()]
    found = set(re.split(r"[\s│┃,:]+", "\n".join(lines)))
    assert set(names.split()) <= found
    framed = [text for text in lines if text and text[0] in "┏┃┡│└"]
    assert all(len(text) <= columns for text in framed)


def prepare() -> None:
    rng = np.random.default_rng(0)
    z = rng.standard_normal((60, 3))
    for name in "abc":
        np.save(name, z + rng.standard_normal((60, 3)) / 4)
    lines = [f"{m},{d},{rng.random() + 0.1 * (m == 'ivae')}" for m in MODELS for d in range(8)]
    Path("t.csv").write_text("\n".join(["model,data,mcc", *lines, ""]))


MODELS = ("ivae", "vade", "vae")


def test_escapes_have_their_width_in_a_terminal_of_few_letters(tmp_path: Path) -> None:
    main, side = pty.openpty()
    env = os.environ | {"PYTHONIOENCODING": "ascii", "COLUMNS": "100", "TERM": "xterm"}
    np.savez(tmp_path / "n.npz", naïve=np.zeros(2), z=np.ones(2))
    with subprocess.Popen(command(["info", "n.npz"]), cwd=tmp_path, env=env, stdout=side):
        os.close(side)
        shown = b""
        with suppress(OSError):  # which is how a terminal says that all have left it
            while text := os.read(main, 4096):
                shown += text
    os.close(main)
    lines = [re.sub("\x1b\\[[0-9;]*m", "", line) for line in shown.decode("ascii").splitlines()]
    table = [line for line in lines if line.startswith(("|", "+"))]
    assert any(r"na\xefve" in line for line in table)
    assert len({len(line) for line in table}) == 1
