"""Errors are one line, of what a terminal shows as it stands, and never too long."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idkit.cli import run
from idkit.errors import LONGEST, SPEAKER, IdkitError, MissingError, UsageError, one_line

ESCAPE = "\x1b[2J\x1b]0;gone\x07"


@given(st.text(max_size=2000), st.integers(50, 400))
def test_any_text_becomes_a_line_that_shows_as_it_stands(text: str, longest: int) -> None:
    line = one_line(text, longest)
    assert len(line) <= longest
    assert all(letter.isprintable() or letter.isspace() for letter in line)
    assert not set(line) & set("\n\r\t\v\f\x1b\x85\u2028\u2029")
    line.encode()  # no half of a surrogate pair, which no stream can write


@given(st.text(st.characters(categories=["L", "N", "P"]), max_size=60))
def test_what_is_short_and_printable_stays(word: str) -> None:
    text = f"{word} holds  two spaces, naïve/ラベル.npz"
    assert one_line(text) == text.strip()


def test_a_long_path_loses_its_middle_and_nothing_else() -> None:
    path = "/data/" + 90 * "folder/" + "latents.npz"
    line = one_line(f"{path} has 480 rows, a.npz has 500: embed both from the same data")
    assert len(line) == LONGEST
    assert line.startswith("/data/folder/")
    assert line.endswith("latents.npz has 480 rows, a.npz has 500: embed both from the same data")
    assert line.count("...") == 1


def test_the_longest_paths_are_shortened_first() -> None:
    names = ["a/" + 400 * "b" + "/z.npz", "runs/" + 30 * "c" + "/z.npz"]
    line = one_line(f"{names[0]} and {names[1]} hold different 'u'")
    assert names[1] in line
    assert line.endswith("hold different 'u'")


def test_a_long_sentence_keeps_its_beginning_and_its_end() -> None:
    line = one_line("no column 'mcc': the table has " + "a, b, " * 500 + "c (name one by --value)")
    assert line.startswith("no column 'mcc': the table has a, b, ")
    assert line.endswith("c (name one by --value)")


@pytest.mark.parametrize("kind", [IdkitError, UsageError, MissingError])
def test_every_error_of_idkit_is_such_a_line(kind: type[IdkitError]) -> None:
    text = str(kind("no array '" + ESCAPE + "'\n" + "x" * 5000))
    assert text.startswith(r"no array '\x1b[2J\x1b]0;gone\x07' xxx")
    assert len(text) == LONGEST - SPEAKER


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["mcc", "/nowhere/" + 200 * "folder/" + "a.npz", "b.npz"], 3),
        (["mcc", "a" * 4000], 3),
        (["mcc", "a.npz", "--" + "x" * 4000], 2),
        (["mcc", "a.npz", "--mode", ESCAPE + "x" * 4000], 2),
        (["train", "--model", "x" * 4000], 2),
        (["train", "-p", "x" * 4000], 2),
        (["info", "no" + ESCAPE + ".npz"], 3),
        (["wilcoxon", "b.csv", "--value", "x" * 4000], 3),
    ],
)
def test_no_line_on_stderr_is_longer(
    words: list[str],
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("b.csv").write_text(",".join(f"column{i}" for i in range(3000)) + "\n" + "1," * 2999 + "1")
    assert run(words) == code
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert len(error) <= LONGEST + 1
    assert error.rstrip("\n").isprintable()
