"""The scripts for shells complete what the commands know."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from dlgovern.cli.completion import SHELLS, options
from dlgovern.cli.main import COMMANDS, main

ASK = """
{script}
COMP_WORDS=({words}); COMP_CWORD={at}
_dlgovern
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def ask(*words: str) -> list[str]:
    script = ASK.format(script=SHELLS["bash"](options()), words=" ".join(f"'{word}'" for word in words), at=len(words) - 1)
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash")
    return subprocess.run([bash, "-c", script], capture_output=True, text=True, check=True).stdout.split()


def test_commands_are_completed():
    assert ["check"] == ask("dlgovern", "che")


def test_options_are_completed():
    assert ["--output-file", "--output-format"] == sorted(ask("dlgovern", "check", "--output"))


def test_verbs_are_completed():
    assert "show" in ask("dlgovern", "standard", "")


@pytest.mark.parametrize("shell", sorted(SHELLS))
def test_every_command_is_in_every_script(shell, capsys):
    assert 0 == main(["completion", shell])
    said = capsys.readouterr().out
    assert [] == [name for name in COMMANDS if name not in said]


@pytest.mark.parametrize("shell", ("bash", "zsh", "fish"))
def test_a_script_is_one_of_its_shell(shell):
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"no {shell}")
    subprocess.run([program, "-n", "-c", SHELLS[shell](options())], check=True)
