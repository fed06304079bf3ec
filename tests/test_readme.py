"""The README's commands run as they stand, in its order, and its Python says what it prints."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parent.parent / "README.md").read_text()


def commands() -> list[str]:
    """The lines after a prompt, in the order of the README."""
    blocks = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


@pytest.mark.slow
def test_commands_of_the_readme_run_one_after_the_other(tmp_path: Path) -> None:
    assert len(commands()) >= 5
    for line in commands():
        words = re.sub(r"\b(idkit|python)\b", rf"'{sys.executable}' -m idkit", line, count=1)
        if line.startswith("python"):
            words = words.replace(" -m idkit", "", 1)
        done = subprocess.run(
            ["bash", "-c", words], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        assert done.stdout or done.stderr or "-c" in line


def test_python_of_the_readme_runs() -> None:
    for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        done = subprocess.run([sys.executable, "-c", block], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr


def test_the_readme_names_every_command_and_exit_code() -> None:
    from idkit.cli import COMMANDS
    from idkit.errors import ExitCode

    for command in COMMANDS:
        assert f"`{command}" in README, command
    for code in ExitCode:
        assert re.search(rf"^\| .*\b{code.value}\b.* \|", README, re.MULTILINE), code
