"""Help, completion and start-up: instant, complete, and the same as what is committed."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from idkit.cli import COMMANDS

ROOT = Path(__file__).parent.parent
HEAVY = ("numpy", "scipy", "torch", "sklearn", "matplotlib", "pandas", "statsmodels")
Ran = subprocess.CompletedProcess[str]


def loaded_after(code: str) -> set[str]:
    """The libraries that a fresh interpreter has loaded after some code."""
    code += f"\nimport json, sys; print(json.dumps([m for m in {HEAVY} if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_help_and_completion_load_no_numerical_library() -> None:
    assert (
        loaded_after("from idkit.cli import run; run(['--help']); run(['train', '--help'])")
        == set()
    )


@pytest.mark.parametrize("command", ["mcc", "align", "wilcoxon", "info"])
def test_commands_on_latents_never_load_torch(command: str, tmp_path: Path) -> None:
    code = f"""
import numpy as np, os
os.chdir({str(tmp_path)!r})
rng = np.random.default_rng(0)
for name in "abc":
    np.save(name, rng.standard_normal((50, 3)))
open("t.csv", "w").write("model,data,mcc\\n" + "".join(
    f"{{m}},{{d}},{{0.1 * d + (m == 'a') * 0.01}}\\n" for m in "ab" for d in range(8)))
from idkit.cli import run
argv = {{
    "mcc": ["a.npy", "b.npy", "c.npy"],
    "align": ["a.npy", "b.npy", "-o", "x.npz"],
    "info": ["a.npy"],
    "wilcoxon": ["t.csv", "--value", "mcc", "--by", "model", "--pair", "data"],
}}
assert run([{command!r}, *argv[{command!r}]]) == 0
"""
    assert loaded_after(code) <= {"numpy", "scipy"}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(
    command: str, idkit: Callable[..., Ran]
) -> None:
    done = idkit(command, "--help")
    assert done.returncode == 0
    assert f"idkit {command}" in done.stdout.replace("Usage: idkit", "")


@pytest.mark.parametrize(
    ("line", "usage", "argument"),
    [
        ("mcc", "idkit mcc [OPTIONS] FILE...\n", "\n  FILE...  Latents"),
        ("embed", "idkit embed [OPTIONS] MODEL...\n", "\n  MODEL...  model/1"),
        ("plot", "idkit plot [OPTIONS] KIND FILE...\n", "\n  KIND     Which"),
        ("data fetch", "idkit data fetch [OPTIONS] NAME...\n", "\n  NAME...  Data sets"),
    ],
)
def test_arguments_have_their_own_names_alone(
    line: str, usage: str, argument: str, idkit: Callable[..., Ran]
) -> None:
    shown = idkit(*line.split(), "--help").stdout
    assert usage in shown
    assert argument in shown


def test_help_of_train_lists_the_knobs_that_builders_take(idkit: Callable[..., Ran]) -> None:
    shown = " ".join(idkit("train", "--help").stdout.split())
    for text in ("vade components, identifiability, alpha", "grid width", "gaussian variance"):
        assert text in shown


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("train --epochs 1.5", "'--epochs': expected a whole number (see"),
        ("train --epochs 0", "'--epochs': expected at least 1 (see"),
        ("train --lr x", "'--lr': expected a number (see"),
        ("train --vary x", "'--vary': 'x' is not one of 'all', 'init', 'order', 'noise' (see"),
        ("synth tcl --segments x", "'--segments': expected a whole number (see"),
    ],
)
def test_a_wrong_value_is_told_without_jargon(
    line: str, said: str, idkit: Callable[..., Ran]
) -> None:
    done = idkit(*line.split())
    assert done.returncode == 2
    assert said in done.stderr


def test_the_list_says_of_every_command_what_it_does(idkit: Callable[..., Ran]) -> None:
    listed = idkit("--help").stdout.partition("Commands:")[2]
    for command, summary in COMMANDS.items():
        assert f"  {command} " in listed
        assert summary in listed, "cut short"
    assert "tub" not in listed


def test_mcc_is_not_matthews(idkit: Callable[..., Ran]) -> None:
    first_lines = " ".join(idkit("--help").stdout.split()[:60])
    assert "mean correlation coefficient" in first_lines
    assert "not Matthews" in first_lines


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_committed_completion_is_what_is_generated(shell: str) -> None:
    committed = ROOT / "completions" / f"idkit.{shell}"
    done = subprocess.run(
        [sys.executable, "-c", "from idkit.cli import main; main()"],
        env={**os.environ, "_IDKIT_COMPLETE": f"source_{shell}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == committed.read_text()


def test_completion_offers_the_names_of_a_room() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from idkit.cli import main; main()"],
        env={
            **os.environ,
            "_IDKIT_COMPLETE": "complete_bash",
            "COMP_WORDS": "idkit train --model v",
            "COMP_CWORD": "3",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert {"vae", "vade"} <= set(done.stdout.split())


def test_without_arguments_it_shows_the_help(idkit: Callable[..., Ran]) -> None:
    done = idkit()
    assert done.returncode == 0
    assert "Commands:" in done.stdout
