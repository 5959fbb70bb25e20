"""``dlgovern completion``: print a script that completes commands and options in a shell."""

from __future__ import annotations

import argparse
import importlib
import re
import sys
from collections.abc import Callable

from dlgovern.cli import exits

Words = dict[str, list[str]]


def parser() -> argparse.ArgumentParser:
    """The command line of ``completion``."""
    made = argparse.ArgumentParser(
        prog="dlgovern completion",
        description="Print a script that completes commands and options.",
        epilog='examples:\n  eval "$(dlgovern completion bash)"\n  dlgovern completion fish > ~/.config/fish/completions/dlgovern.fish\n',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("shell", choices=sorted(SHELLS), help="for which shell")
    return made


def run(words: list[str]) -> int:
    """Print one script."""
    said = parser().parse_args(words)
    sys.stdout.write(SHELLS[said.shell](options()))
    return exits.CLEAN


def options() -> Words:
    """Each command with the options that it knows; of a command of verbs, the verbs."""
    from dlgovern.cli.main import COMMANDS

    return {name: _of(name) for name in COMMANDS}


def _of(name: str) -> list[str]:
    module = importlib.import_module(f"dlgovern.cli.{name}")
    if callable(make := getattr(module, "parser", None)):
        known = [word for action in make()._actions for word in action.option_strings]  # argparse has no other list
        return sorted(word for word in known if word.startswith("--"))
    return re.findall(r"^  ([a-z]+)  ", getattr(module, "_HELP", ""), re.M)


def bash(words: Words) -> str:
    """For bash: words of the command line, else files."""
    cases = "\n".join(f'    {name}) words="{" ".join(found)}" ;;' for name, found in words.items())
    return f"""\
_dlgovern() {{
  local words current="${{COMP_WORDS[COMP_CWORD]}}"
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "{" ".join(words)} --help --version" -- "$current"))
    return
  fi
  case "${{COMP_WORDS[1]}}" in
{cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -F _dlgovern dlgovern
"""


def zsh(words: Words) -> str:
    """For zsh, which runs completions written for bash."""
    return f"autoload -Uz bashcompinit && bashcompinit\n{bash(words)}"


def fish(words: Words) -> str:
    """For fish: one line a word."""
    lines = [f"complete -c dlgovern -n __fish_use_subcommand -a {name}" for name in words]
    for name, found in words.items():
        seen = f"-n '__fish_seen_subcommand_from {name}'"
        lines += [f"complete -c dlgovern {seen} -l {word[2:]}" for word in found if word.startswith("--")]
        lines += [f"complete -c dlgovern {seen} -a {word}" for word in found if not word.startswith("--")]
    return "\n".join(lines) + "\n"


SHELLS: dict[str, Callable[[Words], str]] = {"bash": bash, "fish": fish, "zsh": zsh}
"""Shell -> what writes its script."""
