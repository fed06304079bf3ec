"""Help, completion and start-up: instant, complete, and the same as what is committed."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from idkit import shelf
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


def complete(shell: str, line: str, **env: str) -> subprocess.CompletedProcess[str]:
    """What a shell is told at the end of a line; bash has = for a word of its own."""
    words = re.split("( |=)", line)
    words = [word for word in words[:-1] if word.strip()] + words[-1:]
    asked = {
        "_IDKIT_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": "\n".join(words),
        "COMP_CWORD": str(len(words) - 1),
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    return subprocess.run(
        [sys.executable, "-c", "from idkit.cli import main; main()"],
        env={**os.environ, **asked, **env},
        capture_output=True,
        text=True,
        check=True,
    )


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("idkit tr", ["train"]),
        ("idkit train --mod", ["--model"]),
        ("idkit train --model va", ["vade", "vae"]),
        ("idkit train --model=va", ["vade", "vae"]),
        ("idkit train --model=", list(shelf.names("models"))),
        ("idkit train --steps=9 --model=rv", ["rvqvae"]),
        ("idkit train --data t", ["tcl"]),
        ("idkit embed m.npz --data=fa", ["fashion-mnist"]),
        ("idkit train --model ivae -p prior", ["prior=", "prior_mean="]),
        ("idkit train --model=vae -p prior", []),
        ("idkit train --device ", ["cpu", "cuda"]),
        ("idkit train --vary=in", ["init"]),
        ("idkit train -q --compile o", ["on", "off"]),
        ("idkit plot cu", ["curve"]),
        ("idkit plot --title x cu", ["curve"]),
        ("idkit plot curve cu", []),  # a file
        ("idkit synth tc", ["tcl"]),
        ("idkit synth tcl --mixing=c", ["cond"]),
        ("idkit data fetch mni", ["mnist"]),
        ("idkit data ve", ["verify"]),
        ("idkit nothing x", []),
        ("idkit synth nothing --o", []),
        ("idkit train --nothing x", []),
        ("idkit train 'a b", []),
    ],
)
@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
def test_completion_offers_what_may_stand_there(shell: str, line: str, offered: list[str]) -> None:
    told = complete(shell, line)
    assert told.stderr == ""
    typed = line.rsplit(" ", 1)[-1]
    prefix = typed[: typed.find("=") + 1] if shell != "bash" else ""
    if shell == "zsh":
        found = re.findall(r"found=\((.*)\);", told.stdout)
        names = [text.partition(":")[0] for text in shlex.split(found[0])] if found else []
        assert offered or told.stdout in ("_files\n", "")
    else:
        names = [text.partition("\t")[0] for text in told.stdout.splitlines()]
    assert names == [f"{prefix}{name}" for name in offered]


def test_fish_is_told_whether_there_is_anything() -> None:
    line, env = "idkit train --model=va", {"_TYPER_COMPLETE_FISH_ACTION": "is-args"}
    assert complete("fish", line, **env).stdout == ""
    with pytest.raises(subprocess.CalledProcessError):
        complete("fish", "idkit info fi", **env)


def test_completion_loads_no_numerical_library() -> None:
    code = """
import os
os.environ |= {"COMP_WORDS": "idkit train --model = va", "COMP_CWORD": "4"}
import typer
from idkit.cli import app, completion
print(completion.answer("complete_bash", typer.main.get_command(app)))
"""
    assert loaded_after(code) == set()


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_the_script_of_bash_completes_a_line(tmp_path: Path) -> None:
    (tmp_path / "idkit").write_text(f"#!/bin/sh\nexec {sys.executable} -m idkit\n")
    (tmp_path / "idkit").chmod(0o755)
    script = f"""
source {ROOT / "completions" / "idkit.bash"}
COMP_WORDS=(idkit train --model = va) COMP_CWORD=4
_idkit_completion idkit 2>/dev/null
printf '%s\n' "${{COMPREPLY[@]}}"
"""
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    told = subprocess.check_output(["bash", "-c", script], env=env, text=True)
    assert told.split() == ["vade", "vae"]


def test_the_script_of_zsh_can_lie_where_zsh_looks_for_such() -> None:
    assert (ROOT / "completions" / "idkit.zsh").read_text().startswith("#compdef idkit\n")


def test_without_arguments_it_shows_the_help(idkit: Callable[..., Ran]) -> None:
    done = idkit()
    assert done.returncode == 0
    assert "Commands:" in done.stdout
