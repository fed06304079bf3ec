"""`idkit wilcoxon`: two scores of one run are never two observations of one sample."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from idkit import cli, files

Capture = pytest.CaptureFixture[str]
Group = dict[str, Any]
HOW = "mcc --cca-dim 20 --corr pearson --modes strong --seed 0 --split random"
MODELS = ("vae", "ivae", "vade")


def group(model: str, d_z: int, mcc_out: float | None, **more: Any) -> Group:
    about = {"data": "digits", "model": model, "arch": "mlp", "d_z": d_z, "settings": None}
    kinds = {"mode": "strong", "corr": "pearson", "k": min(d_z, 20)}
    return {**about, **kinds, "mcc_out": mcc_out, "seeds": [1, 2], "names": ["x", "y"], **more}


def every(seed: int, models: tuple[str, ...] = MODELS, cells: int = 8, **more: Any) -> list[Group]:
    rng = np.random.default_rng(seed)
    return [group(m, d, float(rng.uniform()), **more) for m in models for d in range(cells)]


def scores(path: Path, groups: list[Group], command: str = HOW) -> str:
    files.write(str(path), {}, files.metadata("idkit.scores/1", command, [], groups=groups))
    return str(path)


def document(capsys: Capture, *words: str) -> dict[str, Any]:
    assert cli.run(["wilcoxon", *words, "--json", "-q"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def by_hand(groups: list[Group]) -> list[float]:
    """The p of each pair of models, by scipy."""
    of = {m: np.array([row["mcc_out"] for row in groups if row["model"] == m]) for m in MODELS}
    pairs = (("vae", "ivae"), ("vae", "vade"), ("ivae", "vade"))
    return [float(stats.wilcoxon(of[a], of[b], method="exact").pvalue) for a, b in pairs]


def check(found: dict[str, Any], kind: str, tables: dict[str | None, list[Group]]) -> None:
    """One test of each pair in each table, over its own cells, with Holm over all."""
    p = [one for groups in tables.values() for one in by_hand(groups)]
    rows = found["rows"]
    assert [row[kind] for row in rows] == [name for name in tables for _ in range(3)]
    assert {row["n"] for row in rows} == {8}
    assert [row["p"] for row in rows] == pytest.approx(p, rel=1e-12)
    holm = multipletests(p, method="holm")[1].tolist()
    assert [row["p_holm"] for row in rows] == pytest.approx(holm, rel=1e-12)
    assert [one["cells"] for one in found["friedmans"]] == [8] * len(tables)
    assert found["friedman"] is None


@pytest.mark.parametrize("kind", ["mode", "corr"])
def test_each_mode_and_correlation_is_a_test_of_its_own(
    tmp_path: Path, capsys: Capture, kind: str
) -> None:
    names = ["one", "two", "three"] if kind == "mode" else ["pearson", "spearman"]
    tables: dict[str | None, list[Group]] = {
        name: [{**row, kind: name} for row in every(i)] for i, name in enumerate(names)
    }
    together = [row for groups in tables.values() for row in groups]
    path = scores(tmp_path / "s.npz", together)
    check(document(capsys, path), kind, tables)
    apart = [scores(tmp_path / f"{name}.npz", groups) for name, groups in tables.items() if name]
    check(document(capsys, *apart), kind, tables)


def test_three_cells_of_two_modes_give_no_p_below_a_quarter(
    tmp_path: Path, capsys: Capture
) -> None:
    groups = [
        group(m, d, 0.5 + d / 10 + i / 7, mode=mode)
        for mode in ("strong", "weak")
        for i, m in enumerate(("vae", "ivae"))
        for d in range(3)
    ]
    path = scores(tmp_path / "s.npz", groups)
    rows = document(capsys, path)["rows"]
    assert [(row["mode"], row["corr"], row["n"], row["p"]) for row in rows] == [
        ("strong", "pearson", 3, 0.25),
        ("weak", "pearson", 3, 0.25),
    ]
    assert all(row["p_holm"] == 0.5 for row in rows)
    assert "over 3 cells, mode strong (" in rows[0]["verdict"]
    assert "over 3 cells, mode weak (" in rows[1]["verdict"]
    assert cli.run(["wilcoxon", path, "--fail-if", "different"]) == 3
    assert "share 3 cells, mode strong, at least 6" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["tsv", "json"])
def test_the_printed_table_of_mcc_is_read_the_same_way(
    tmp_path: Path, capsys: Capture, form: str
) -> None:
    tables: dict[str | None, list[Group]] = {m: every(i, mode=m) for i, m in enumerate("ab")}
    rows = [
        {name: entry for name, entry in row.items() if name not in ("seeds", "names")}
        for groups in tables.values()
        for row in groups
    ]
    path = tmp_path / "table"
    lines = ["\t".join(rows[0]), *("\t".join(str(x or "") for x in row.values()) for row in rows)]
    path.write_text(json.dumps({"rows": rows}) if form == "json" else "\n".join(lines))
    check(document(capsys, str(path)), "mode", tables)


def foreign(path: Path, **column: list[Any]) -> str:
    """Two models over six cells, each scored twice, under a column of one's own."""
    ((name, entries),) = column.items()
    rng = np.random.default_rng(3)
    rows = [f"who,cell,{name},score"]
    rows += [f"{w},{c},{e},{rng.uniform()}" for w in "xy" for c in range(6) for e in entries]
    path.write_text("\n".join(rows))
    return str(path)


def test_anyones_table_with_a_mode_is_tested_once_a_mode(tmp_path: Path, capsys: Capture) -> None:
    path = foreign(tmp_path / "t.csv", mode=["hard", "soft"])
    columns = (path, "--value", "score", "--by", "who")
    rows = document(capsys, *columns, "--pair", "cell")["rows"]
    assert [(row["mode"], row["corr"], row["n"]) for row in rows] == [
        ("hard", None, 6),
        ("soft", None, 6),
    ]
    (named,) = document(capsys, *columns, "--pair", "cell,mode")["rows"]
    assert (named["mode"], named["n"]) == (None, 12)
    (by,) = document(capsys, path, "--value", "score", "--by", "mode", "--pair", "cell,who")["rows"]
    assert (by["a"], by["b"], by["n"]) == ("hard", "soft", 12)


def test_a_column_of_correlations_is_a_score_and_no_kind(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "t.csv"
    lines = [f"{m},{c},0.{c}{i},0.{i}{c}" for i, m in enumerate("ab") for c in range(1, 8)]
    path.write_text("\n".join(["model,cell,mcc,corr", *lines]))
    (row,) = document(capsys, str(path), "--value", "mcc", "--pair", "cell")["rows"]
    assert (row["n"], row["corr"]) == (7, None)
    (other,) = document(capsys, str(path), "--value", "corr", "--pair", "cell")["rows"]
    assert other["n"] == 7


@pytest.mark.parametrize(
    ("command", "kind", "value"),
    [
        (f"{HOW} --to sources", "to", "sources"),
        (HOW.replace("--seed 0", "--seed 1"), "split_seed", "1"),
        (HOW.replace("random", "first"), "split", "first"),
        (HOW.replace("--modes strong", "--modes strong --rematch"), "rematch", "yes"),
    ],
)
def test_scores_of_the_same_runs_made_in_another_way_are_a_test_of_their_own(
    tmp_path: Path, capsys: Capture, command: str, kind: str, value: str
) -> None:
    usual = {"to": None, "split_seed": "0", "split": "random", "rematch": None}
    tables: dict[str | None, list[Group]] = {usual[kind]: every(0), value: every(1)}
    one, two = scores(tmp_path / "1.npz", every(0)), scores(tmp_path / "2.npz", every(1), command)
    check(document(capsys, one, two), kind, tables)
    assert cli.run(["wilcoxon", one, two]) == 0
    assert f"one test for each {kind.replace('_', ' ')}: " in capsys.readouterr().err
    explicit = document(capsys, one, two, "--pair", "d_z")
    check(explicit, kind, tables)


def test_canonical_pairs_bear_on_weak_scores_only(tmp_path: Path, capsys: Capture) -> None:
    few = HOW.replace("--cca-dim 20", "--cca-dim 5")
    weak, strong = every(0, mode="weak"), every(1)
    paths = [
        scores(tmp_path / "1.npz", weak),
        scores(tmp_path / "2.npz", every(2, mode="weak"), few),
        scores(tmp_path / "3.npz", strong, few),
    ]
    rows = document(capsys, *paths)["rows"]
    assert [(row["mode"], row["cca_dim"], row["n"]) for row in rows[::3]] == [
        ("weak", "20", 8),
        ("weak", "5", 8),
        ("strong", None, 8),
    ]


def test_runs_embedded_in_two_ways_are_two_tests(tmp_path: Path, capsys: Capture) -> None:
    both = {None: "epochs=5", "split=train": "epochs=5 split=train"}
    tables: dict[str | None, list[Group]] = {
        kind: every(i, settings=settings) for i, (kind, settings) in enumerate(both.items())
    }
    path = scores(tmp_path / "s.npz", [row for groups in tables.values() for row in groups])
    check(document(capsys, path), "embedding", tables)
    alone = scores(tmp_path / "t.npz", every(0, settings="epochs=5 split=train"))
    assert "embedding" not in document(capsys, alone)["rows"][0]


def test_runs_on_other_data_are_compared_with_their_like(tmp_path: Path, capsys: Capture) -> None:
    tables: dict[str | None, list[Group]] = {
        kind: every(i, embedded=kind) for i, kind in enumerate((None, "other"))
    }
    path = scores(tmp_path / "s.npz", [row for groups in tables.values() for row in groups])
    check(document(capsys, path), "embedded", tables)
    apart = [*every(0, ("vae",), embedded="one"), *every(0, ("ivae",), embedded="two")]
    assert cli.run(["wilcoxon", scores(tmp_path / "t.npz", apart)]) == 3
    assert "vae and ivae share no embedded (one | two)" in capsys.readouterr().err


def test_scores_against_another_truth_have_no_cell_with_those_between_runs(
    tmp_path: Path, capsys: Capture
) -> None:
    between = scores(tmp_path / "1.npz", every(0, ("vae",)))
    truth = scores(tmp_path / "2.npz", every(0, ("ivae",)), f"{HOW} --to sources")
    assert cli.run(["wilcoxon", between, truth]) == 3
    assert "share no to (- | sources)" in capsys.readouterr().err
    (row,) = document(capsys, between, truth, "--by", "file", "--pair", "d_z")["rows"]
    assert row["n"] == 8


def test_the_numbers_of_components_of_a_curve_are_tests_of_their_own(
    tmp_path: Path, capsys: Capture
) -> None:
    rows = [{**row, "components": k} for k in (1, 2) for row in every(k)]
    for row in rows:
        del row["seeds"], row["names"]
    path = tmp_path / "curve.json"
    path.write_text(json.dumps({"rows": rows}))
    found = document(capsys, str(path))["rows"]
    assert [(row["components"], row["n"]) for row in found] == [("1", 8)] * 3 + [("2", 8)] * 3


def test_pairs_of_runs_are_not_called_independent(tmp_path: Path, capsys: Capture) -> None:
    rng = np.random.default_rng(0)
    rows = [
        {**group(m, 5, rng.uniform()), "a": f"{m}{a}", "b": f"{m}{b}", "seed_a": a, "seed_b": b}
        for m in ("vae", "ivae")
        for a in range(4)
        for b in range(a)
    ]
    path = tmp_path / "pairs.json"
    path.write_text(json.dumps(rows))
    assert cli.run(["wilcoxon", str(path)]) == 3
    said = capsys.readouterr().err
    assert "a run is in several pairs of runs" in said
    assert "average" not in said
    assert cli.run(["wilcoxon", str(path), "--pair", "data,seed_a,seed_b"]) == 0
    assert "those that share a run are not independent" in capsys.readouterr().err
    truth = [{**row, "b": "sources", "seed_b": None} for row in rows if row["seed_b"] == 0]
    path.write_text(json.dumps(truth))
    assert cli.run(["wilcoxon", str(path), "--pair", "data,seed_a"]) == 0
    assert "not independent" not in capsys.readouterr().err


def test_a_family_without_a_mode_is_missing_from_its_tests_only(
    tmp_path: Path, capsys: Capture
) -> None:
    groups = [*every(0), *every(1, ("vae", "ivae"), mode="weak")]
    path = scores(tmp_path / "s.npz", groups)
    assert cli.run(["wilcoxon", path]) == 0
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 1 + 3 + 1
    assert "not compared, mode weak, as no cell has both: vae and vade, ivae and vade" in said.err
    assert "(Friedman, 8 complete cells): p" in said.err


def test_gate_power_and_file_have_every_mode(tmp_path: Path, capsys: Capture) -> None:
    low = [group("a", d, 0.5 + d / 100) for d in range(8)]
    low += [group("b", d, 0.5 + d / 101) for d in range(8)]
    high = [{**row, "mode": "weak", "mcc_out": row["mcc_out"] * 1.5} for row in low]
    for row in high[:8]:
        row["mcc_out"] -= 0.2 + row["d_z"] / 1000
    path, out = scores(tmp_path / "s.npz", [*low, *high]), str(tmp_path / "t.npz")
    words = ["wilcoxon", path, "--fail-if", "worse by 0.1", "-o", out]
    assert cli.run(words) == 1
    assert "'worse by 0.1' holds for a against b, mode weak: " in capsys.readouterr().err
    kept = files.read(out)
    assert kept.meta["each"] == ["mode", "corr"]
    assert [row["mode"] for row in kept.meta["tests"]] == ["strong", "weak"]
    assert list(kept.arrays) == ["0/differences", "1/differences"]
    plans = document(capsys, path, "--power", "--shift", "0.05")["rows"]
    assert [(plan["mode"], plan["n"]) for plan in plans] == [("strong", 8), ("weak", 8)]


def test_the_terminal_shows_what_varies(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = scores(tmp_path / "s.npz", [*every(0), *every(1, mode="weak")])
    one = scores(tmp_path / "t.npz", every(0))
    monkeypatch.setenv("COLUMNS", "120")
    heads = []
    for path in (two, one):
        monkeypatch.setattr("sys.stdout.isatty", lambda: True)
        assert cli.run(["wilcoxon", path]) == 0
        heads.append(capsys.readouterr().out.splitlines()[2])
    assert "mode" in heads[0]
    assert "mode" not in heads[1]
    assert "corr" not in heads[0]
