"""`idkit wilcoxon` as a user drives it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from idkit import cli, files

PAPER = Path(__file__).parents[1] / "paper_tables_i5_i7.csv"
COLUMNS = ["--value", "mcc", "--by", "model", "--pair", "arch,dataset,d_z"]
KEYS = [
    *("a", "b", "mode", "corr", "n", "zeros", "ties", "w", "p", "method", "p_holm", "p_block"),
    *("shift", "shift_low", "shift_high", "rank_biserial", "verdict"),
]
Idkit = Callable[..., subprocess.CompletedProcess[str]]
Capture = pytest.CaptureFixture[str]


def group(model: str, d_z: int, mcc_out: float | None, **more: Any) -> dict[str, Any]:
    """One group's row of a scores file, with the lists that go beside the table."""
    about = {"data": "digits", "model": model, "arch": "mlp", "d_z": d_z}
    kinds = {"mode": "weak", "corr": "pearson"}
    return {**about, **kinds, "mcc_out": mcc_out, "seeds": [1, 2], "names": ["x", "y"], **more}


def scores(path: Path, groups: list[dict[str, Any]], schema: str = "idkit.scores/1") -> str:
    meta = files.metadata(schema, "mcc", [], groups=groups)
    files.write(str(path), {"0/pairs": np.array([[0, 1]])}, meta)
    return str(path)


def eight(model: str, above: float) -> list[dict[str, Any]]:
    """A model over eight cells, and another one lower by about `above` in each."""
    rows = [(model, d, 0.5 + d / 100) for d in range(8)]
    rows += [("base", d, 0.5 + d / 100 - above - d / 10_000) for d in range(8)]
    return [group(*row) for row in rows]


def rows_of(capsys: Capture, *words: str) -> list[dict[str, Any]]:
    assert cli.run(["wilcoxon", *words, "--json", "-q"]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["rows"]
    return found


def failing(capsys: Capture, *words: str) -> tuple[int, str]:
    """The exit code and the one line of a command that cannot be done."""
    code = cli.run(["wilcoxon", *words])
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith("idkit wilcoxon: ")
    return code, said.err


def test_the_papers_tables_give_the_papers_p_values(idkit: Idkit) -> None:
    done = idkit("wilcoxon", str(PAPER), *COLUMNS)
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    rows = [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]
    assert done.returncode == 0
    assert lines[0] == KEYS
    assert [(row["a"], row["b"]) for row in rows] == [
        ("ivae", "vade"),
        ("ivae", "vae"),
        ("vade", "vae"),
    ]
    assert [float(row["p"]) for row in rows] == pytest.approx([0.42234, 0.0291, 0.0388], abs=5e-5)
    assert [float(row["p_holm"]) for row in rows] == pytest.approx([0.422, 0.087, 0.087], abs=5e-4)
    assert "alone it would pass at 5%, as one of 3 tests it does not" in done.stderr
    assert "Friedman, 24 complete cells" in done.stderr


def test_json_is_one_document_with_null_for_what_is_undefined(capsys: Capture) -> None:
    assert cli.run(["wilcoxon", str(PAPER), *COLUMNS, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "idkit.tests/1"
    assert [list(row) for row in document["rows"]] == [KEYS] * 3
    assert {row["p_block"] for row in document["rows"]} == {None}
    assert document["friedman"]["p"] == pytest.approx(0.00247875)


def test_friedman_is_exact_for_few_cells_and_null_for_two_families(
    tmp_path: Path, capsys: Capture
) -> None:
    groups = [group(m, d, 0.1 * i + d / 4) for i, m in enumerate("abc") for d in range(3)]
    for few, p in ((groups, 1 / 36), (groups[:6], None)):
        path = scores(tmp_path / f"{len(few)}.npz", few)
        assert cli.run(["wilcoxon", path, "--json"]) == 0
        said = capsys.readouterr()
        found = json.loads(said.out)["friedman"]
        assert (found and found["p"]) == (p and pytest.approx(p))
        assert ("(Friedman, 3 complete cells): p = 0.028, exact." in said.err) == (p is not None)


def test_scores_are_read_without_options(tmp_path: Path, capsys: Capture) -> None:
    path = scores(tmp_path / "scores.npz", eight("vade", 0.03))
    (row,) = rows_of(capsys, path)
    assert (row["a"], row["b"], row["n"], row["p"]) == ("vade", "base", 8, 2**-7)
    assert row["shift"] == pytest.approx(0.03035)
    assert row["rank_biserial"] == 1.0
    assert row["verdict"].startswith("vade is higher than base over 8 cells")


@pytest.mark.parametrize("schema", ["idkit.scores/1", "idkit.alignment/1"])
def test_several_files_are_one_table(tmp_path: Path, capsys: Capture, schema: str) -> None:
    groups = eight("vade", 0.03)
    one = scores(tmp_path / "one.safetensors", groups[:5], schema)
    two = scores(tmp_path / "two.npz", groups[5:], schema)
    assert rows_of(capsys, one, two)[0]["n"] == 8


def test_by_file_compares_two_states_of_one_model(tmp_path: Path, capsys: Capture) -> None:
    new = scores(tmp_path / "new.npz", [group("vade", d, 0.5 + d / 90) for d in range(7)])
    old = scores(tmp_path / "old.npz", [group("vade", d, 0.6 + d / 80) for d in range(7)])
    (row,) = rows_of(capsys, new, old, "--by", "file")
    assert (row["a"], row["b"], row["p"]) == ("new.npz", "old.npz", 2**-6)


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path: Path, capsys: Capture) -> None:
    for folder in ("new", "old"):
        (tmp_path / folder).mkdir()
        scores(
            tmp_path / folder / "s.npz", [group("vade", d, (len(folder) + d) / 9) for d in range(6)]
        )
    paths = [str(tmp_path / folder / "s.npz") for folder in ("new", "old")]
    (row,) = rows_of(capsys, *paths, "--by", "file")
    assert [row["a"], row["b"]] == paths


@pytest.mark.parametrize("form", ["tsv", "json", "lines"])
def test_a_table_of_any_form_comes_through_a_pipe(idkit: Idkit, form: str) -> None:
    text = PAPER.read_text()
    names, *lines = (line.split(",") for line in text.splitlines())
    rows = [dict(zip(names, line, strict=True)) for line in lines]
    numbers = [{**row, "mcc": float(row["mcc"])} for row in rows]
    given = {
        "tsv": text.replace(",", "\t"),
        "json": json.dumps({"rows": numbers}),
        "lines": "\n".join(json.dumps(row) for row in numbers),
    }
    piped = idkit("wilcoxon", "-", *COLUMNS, stdin=given[form].encode())
    plain = idkit("wilcoxon", str(PAPER), *COLUMNS)
    assert piped.returncode == 0
    assert piped.stdout == plain.stdout


def test_the_table_of_mcc_goes_straight_into_wilcoxon(tmp_path: Path, idkit: Idkit) -> None:
    rng = np.random.default_rng(0)
    for model, noise in (("vae", 1.0), ("vade", 0.1)):
        for d_z in (2, 3):
            shared = rng.standard_normal((80, d_z))
            for seed in (1, 2):
                z = shared + noise * rng.standard_normal((80, d_z))
                about = {"data": "toy", "model": model, "arch": "mlp", "d_z": d_z, "seed": seed}
                meta = files.metadata("idkit.latents/1", "embed", [], settings={}, **about)
                files.write(str(tmp_path / f"{model}{d_z}{seed}.npz"), {"z": z}, meta)
    latents = sorted(path.name for path in tmp_path.glob("*.npz"))
    table = idkit("mcc", *latents, "--json", "-o", "scores.safetensors")
    assert table.returncode == 0, table.stderr
    piped = idkit("wilcoxon", "-", stdin=table.stdout.encode())
    stored = idkit("wilcoxon", "scores.safetensors")
    assert piped.returncode == 0, piped.stderr
    assert piped.stdout == stored.stdout
    assert (
        "with 2 cells that differ no p below 0.05 is possible, the smallest is 0.5" in piped.stderr
    )


def test_blocks_and_margin_fill_their_columns(capsys: Capture) -> None:
    rows = rows_of(capsys, str(PAPER), *COLUMNS, "--block", "arch,dataset", "--margin", "0.1")
    assert [row["p_block"] for row in rows] == [0.578125, 0.1328125, 0.1171875]
    assert all("; equivalent: the interval lies within 0.1" in row["verdict"] for row in rows)
    assert [row["p_holm"] for row in rows] == [0.578125, 0.3515625, 0.3515625]


def test_blocks_are_what_fail_if_and_power_count(capsys: Capture) -> None:
    few = (*COLUMNS, "--block", "arch")
    code, said = failing(capsys, str(PAPER), *few, "--fail-if", "maybe different")
    assert code == 3
    assert "'maybe different' cannot be decided: ivae and vade share 3 blocks, at least 6" in said
    blocks = (*COLUMNS, "--block", "arch,dataset")
    assert cli.run(["wilcoxon", str(PAPER), *COLUMNS, "--fail-if", "different", "-q"]) == 1
    assert cli.run(["wilcoxon", str(PAPER), *blocks, "--fail-if", "different", "-q"]) == 0
    capsys.readouterr()
    plans = rows_of(capsys, str(PAPER), *blocks, "--power", "--shift", "0.02")
    assert [plan["n"] for plan in plans] == [8, 8, 8]


def test_zeros_are_treated_as_asked_and_the_method_says_so(tmp_path: Path, capsys: Capture) -> None:
    groups = [group("a", d, 0.25 + d // 3 / 4) for d in range(9)] + [
        group("b", d, 0.25) for d in range(9)
    ]
    path = scores(tmp_path / "scores.npz", groups)
    dropped, ranked = (rows_of(capsys, path, "--zeros", how)[0] for how in ("wilcox", "pratt"))
    assert (dropped["n"], dropped["zeros"], dropped["ties"]) == (9, 3, 6)
    assert dropped["method"] == "exact, zeros dropped"
    assert ranked["method"] == "exact, zeros ranked (Pratt)"
    assert (dropped["w"], ranked["w"]) == (21.0, 39.0)


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("worse by 0.02", 1),
        ("worse by 0.05", 0),
        ("maybe worse by 0.0304", 1),
        ("worse by 0.0304", 0),
        ("better", 0),
        ("different by 0.01", 1),
    ],
)
def test_fail_if_exits_1_where_the_condition_holds(
    tmp_path: Path, capsys: Capture, condition: str, code: int
) -> None:
    groups = eight("vade", 0.03)
    path = scores(tmp_path / "scores.npz", groups[8:] + groups[:8])  # base against vade
    assert cli.run(["wilcoxon", path, "--fail-if", condition]) == code
    said = capsys.readouterr()
    assert said.out.startswith("a\tb\t")
    assert (f"'{condition}' holds for base against vade" in said.err) == (code == 1)


@pytest.mark.parametrize("condition", ["worse by 0.02", "maybe worse by 0.02", "maybe better"])
def test_fail_if_is_refused_where_there_is_no_interval(
    tmp_path: Path, capsys: Capture, condition: str
) -> None:
    path = scores(tmp_path / "scores.npz", eight("vade", 0.03)[3:-3])
    out = tmp_path / "tests.npz"
    code, said = failing(capsys, path, "--fail-if", condition, "-o", str(out))
    assert (code, out.exists()) == (3, False)
    assert f"'{condition}' cannot be decided: vade and base share 2 cells, at least 6" in said


def test_power_says_how_many_cells_it_takes(capsys: Capture) -> None:
    words = [str(PAPER), *COLUMNS, "--power", "--shift", "0.02"]
    rows = rows_of(capsys, *words)
    assert [list(row) for row in rows] == [
        ["a", "b", "mode", "corr", "n", "shift", "power", "needed"]
    ] * 3
    assert all(0.5 < row["power"] < 0.8 and 24 < row["needed"] < 48 for row in rows)
    assert rows_of(capsys, *words) == rows
    assert rows_of(capsys, *words, "--seed", "1") != rows
    (few, *_) = rows_of(capsys, *words[:-1], "0.2")
    assert few["power"] == 1.0
    assert few["needed"] < 10


def test_power_is_kept_and_withheld_where_differences_do_not_vary(
    tmp_path: Path, capsys: Capture
) -> None:
    groups = [group(m, d, 0.5 + (m == "a") / 4) for m in "ab" for d in range(8)]
    path, out = scores(tmp_path / "same.npz", groups), str(tmp_path / "tests.npz")
    assert cli.run(["wilcoxon", path, "--power", "--shift", "0.1", "--json", "-o", out]) == 0
    said = capsys.readouterr()
    (row,) = json.loads(said.out)["rows"]
    assert (row["n"], row["power"], row["needed"]) == (8, None, None)
    assert "no power for a and b: differences that are all the same" in said.err
    kept = files.read(out).meta
    assert kept["power"] == [row]
    assert "--power" in kept["command"]
    assert "--shift 0.1" in kept["command"]


def test_the_artefact_holds_the_table_and_the_differences(tmp_path: Path, capsys: Capture) -> None:
    out = str(tmp_path / "tests.npz")
    rows = rows_of(capsys, str(PAPER), *COLUMNS, "--margin", "0.02", "-o", out)
    artefact = files.read(out, schema="idkit.tests/1")
    assert artefact.meta["tests"] == rows
    assert artefact.meta["margin"] == 0.02
    assert artefact.meta["friedman"]["p"] == pytest.approx(0.00247875)
    assert artefact.meta["inputs"][0]["name"] == PAPER.name
    assert list(artefact.arrays) == [f"{t}/differences" for t in range(3)]
    assert artefact.arrays["0/differences"][:3].tolist() == [-0.009, 0.0172, 0.0931]


def test_what_is_undefined_is_null_in_the_artefact(tmp_path: Path) -> None:
    path = scores(tmp_path / "s.npz", [group(m, d, 0.5) for m in "ab" for d in range(3)])
    out = str(tmp_path / "tests.safetensors")
    assert cli.run(["wilcoxon", path, "-o", out, "-q"]) == 0
    (test,) = files.read(out).meta["tests"]
    assert (test["shift_low"], test["shift_high"], test["rank_biserial"]) == (None, None, None)
    assert (test["shift"], test["p"], test["zeros"]) == (0.0, 1.0, 3)
    assert files.read(out).meta["friedman"] is None


def test_the_same_command_gives_the_same_bytes(tmp_path: Path) -> None:
    outs = [tmp_path / "one.npz", tmp_path / "two.npz"]
    for out in outs:
        assert cli.run(["wilcoxon", str(PAPER), *COLUMNS, "-o", str(out), "-q"]) == 0
    assert outs[0].read_bytes() == outs[1].read_bytes()


def test_an_artefact_on_standard_output_stands_alone(idkit: Idkit, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "idkit", "wilcoxon", str(PAPER), *COLUMNS, "-o", "-"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, check=True)
    (tmp_path / "tests.safetensors").write_bytes(done.stdout)
    assert len(files.read(str(tmp_path / "tests.safetensors")).meta["tests"]) == 3
    again = idkit("wilcoxon", str(PAPER), *COLUMNS, "-o", "tests.safetensors")
    assert again.returncode == 3
    assert (tmp_path / "tests.safetensors").read_bytes() == done.stdout


def test_a_score_that_is_missing_is_said(tmp_path: Path, capsys: Capture) -> None:
    groups = eight("vade", 0.03)
    path = scores(tmp_path / "s.npz", [{**groups[0], "mcc_out": None}, *groups[1:-1]])
    assert cli.run(["wilcoxon", path]) == 0
    said = capsys.readouterr().err
    assert "mcc_out is empty in 1 of 15 rows: these are left out" in said
    assert "2 cells left out for lack of one of the two" in said


def test_families_that_never_meet_are_said(tmp_path: Path, capsys: Capture) -> None:
    path = scores(tmp_path / "s.npz", [*eight("vade", 0.03), group("pca", 99, 0.9)])
    assert cli.run(["wilcoxon", path]) == 0
    said = capsys.readouterr().err
    assert "not compared, as no cell has both: vade and pca, base and pca\n" in said
    assert "Friedman" not in said


def test_many_families_that_never_meet_are_one_line(tmp_path: Path, capsys: Capture) -> None:
    lonely = [group(f"m{i}", 99 + i, 0.9) for i in range(6)]
    path = scores(tmp_path / "s.npz", [*eight("vade", 0.03), *lonely])
    assert cli.run(["wilcoxon", path]) == 0
    (line,) = [one for one in capsys.readouterr().err.splitlines() if "no cell has both" in one]
    assert line.endswith("other pairs")


TABLES = {
    "one_family.csv": "model,d_z,mcc_out\nvae,2,0.5\nvae,3,0.6\n",
    "twice.csv": "model,d_z,mcc_out\nvae,2,0.5\nvae,2,0.6\nvade,2,0.7\n",
    "text.csv": "model,d_z,mcc_out\nvae,2,high\nvade,2,0.7\n",
    "inf.csv": "model,d_z,mcc_out\nvae,2,inf\nvade,2,0.7\n",
    "apart.csv": "model,d_z,mcc_out\nvae,2,0.5\nvade,3,0.7\n",
    "undefined.csv": "model,d_z,mcc_out\nvae,2,nan\nvade,2,nan\n",
    "semicolons.csv": "model;d_z;mcc_out\nvae;2;0,5\nvade;2;0,7\n",
    "foreign.csv": "who,fold,accuracy\nx,1,0.5\ny,1,0.6\n",
}


@pytest.mark.parametrize(
    ("table", "options", "code", "words"),
    [
        ("one_family.csv", [], 3, "needs two families, the column 'model' names 1: vae"),
        ("twice.csv", [], 3, "model=vae has more than one row in the cell d_z=2"),
        ("text.csv", [], 3, "mcc_out of model=vae in d_z=2 is 'high'"),
        ("inf.csv", [], 3, "is 'inf'"),
        ("apart.csv", [], 3, "no cell has two of the families vae, vade"),
        ("undefined.csv", [], 3, "no cell has two of the families"),
        ("foreign.csv", [], 2, "by --pair (the table has who, fold, accuracy"),
        ("foreign.csv", ["--pair", "fold"], 3, "no column 'mcc_out' for the values"),
        ("apart.csv", ["--pair", ","], 2, "at least one must name the cell"),
        ("apart.csv", ["--block", "lab"], 3, "no column 'lab' for the blocks"),
        ("apart.csv", ["--value", "mcc_uot"], 3, "for the values: did you mean 'mcc_out'?"),
        ("apart.csv", ["--by", "Modle"], 3, "for the families: did you mean 'model'?"),
        ("apart.csv", ["--pair", "dz"], 3, "for the cells: did you mean 'd_z'?"),
        ("apart.csv", ["--block", "dz"], 3, "for the blocks: did you mean 'd_z'?"),
        ("semicolons.csv", [], 3, "its columns are separated by ';'"),
        ("missing.csv", [], 3, "no such file"),
        ("one_family.csv", ["--zeros", "split"], 2, "'split'"),
        ("one_family.csv", ["--fail-if", "p < 0.05"], 2, "its form is [maybe] worse"),
        ("one_family.csv", ["--power"], 2, "add --shift"),
        ("one_family.csv", ["--shift", "0.1"], 2, "add --power"),
        ("one_family.csv", ["-o", "tests.txt"], 2, "end it in .npz or .safetensors"),
        ("-", ["-"], 2, "standard input"),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    tmp_path: Path, capsys: Capture, table: str, options: list[str], code: int, words: str
) -> None:
    if table in TABLES:
        (tmp_path / table).write_text(TABLES[table])
    before = sorted(tmp_path.iterdir())
    source = table if table == "-" else str(tmp_path / table)
    found, said = failing(capsys, source, *options)
    assert found == code
    assert words in said
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--margin", "0"], "margin"),
        (["--margin", "-1"], "margin"),
        (["--power", "--shift", "0"], "other than 0"),
    ],
)
def test_a_difference_that_matters_is_not_zero(
    tmp_path: Path, capsys: Capture, options: list[str], words: str
) -> None:
    out = tmp_path / "tests.npz"
    code, said = failing(capsys, str(PAPER), *COLUMNS, *options, "-o", str(out))
    assert (code, out.exists()) == (2, False)
    assert words in said


def test_a_file_given_twice_is_said(tmp_path: Path, capsys: Capture) -> None:
    path = scores(tmp_path / "s.npz", eight("vade", 0.03))
    code, said = failing(capsys, path, path)
    assert code == 3
    assert "are the same file: give it once" in said
    copy = tmp_path / "copy.npz"
    copy.write_bytes(Path(path).read_bytes())
    assert failing(capsys, path, str(copy))[0] == 3
    assert failing(capsys, path, path, "--by", "file")[0] == 3


def test_files_without_a_table_are_named_for_what_they_are(tmp_path: Path, capsys: Capture) -> None:
    np.save(tmp_path / "z.npy", np.ones((3, 2)))
    assert "holds arrays, not a table" in failing(capsys, str(tmp_path / "z.npy"))[1]
    data = tmp_path / "data.npz"
    files.write(str(data), {"x": np.ones(3)}, files.metadata("idkit.data/1", "synth", []))
    assert "is idkit.data/1: give scores" in failing(capsys, str(data))[1]


def test_no_heavy_library_is_loaded(tmp_path: Path) -> None:
    heavy = "torch pandas sklearn matplotlib statsmodels scipy.stats"
    program = (
        "import sys; from idkit import cli; code = cli.run(sys.argv[2:]); "
        "loaded = [name for name in sys.argv[1].split() if name in sys.modules]; "
        "print('code', int(code), 'loaded', loaded, file=sys.stderr)"
    )
    words = ["wilcoxon", str(PAPER), *COLUMNS, "--block", "arch", "--power", "--shift", "1"]
    done = subprocess.run(
        [sys.executable, "-c", program, heavy, *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.endswith("code 0 loaded []\n")


def test_a_verdict_on_a_margin_does_not_contradict_the_correction(idkit: Idkit) -> None:
    lines = ["model,cell,mcc"]
    lines += [
        f"{m},{c},{0.1 * i + 0.01 * c * (i + 1)}" for c in range(6) for i, m in enumerate("abc")
    ]
    done = idkit(
        "wilcoxon", "-", *("--value", "mcc", "--by", "model", "--pair", "cell"),
        *("--margin", "0.02", "--json"), stdin="\n".join(lines).encode(),
    )  # fmt: skip
    verdict = json.loads(done.stdout)["rows"][0]["verdict"]
    assert "cannot be told apart" in verdict  # p = 0.031 alone, 0.094 as one of three
    assert "different:" not in verdict
    assert "its interval alone, for one test, lies beyond 0.02" in verdict
