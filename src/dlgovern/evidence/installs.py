"""What the commands of a script, an image or a workflow install: packages, the lists they come from and the indexes."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from dlgovern.evidence.conda import conda_requirement
from dlgovern.evidence.recipe import Recipe
from dlgovern.evidence.script import Command, Word, is_python
from dlgovern.evidence.specifiers import At, requirement
from dlgovern.evidence.values import IndexOption, Manifest, Requirement


class Install(NamedTuple):
    """One command that installs. ``files`` are lists it reads (POSIX, relative to the root where that can be told)."""

    tool: str  # pip, uv, conda, poetry
    requirements: tuple[Requirement, ...]
    indexes: tuple[IndexOption, ...]
    files: tuple[str, ...]
    local: bool  # the project itself, or another folder, is installed
    declared: bool  # it goes through a manifest: added to one, or beside a list or constraints
    line: int
    column: int
    end_line: int
    end_column: int


_PIP = re.compile(r"pip[\d.]*$")
_CONDA = ("conda", "mamba", "micromamba")
_VALUED = frozenset(
    "-c --constraint -t --target --prefix --root --src --platform --python-version --implementation --abi -d --log"
    " --proxy --retries --timeout --cert --client-cert --cache-dir --progress-bar --no-binary --only-binary -C"
    " --config-settings --global-option --install-option --upgrade-strategy --use-feature --use-deprecated --report"
    " -p --python -n --name --group --extra --index-strategy --keyring-provider --torch-backend --link-mode"
    " --resolution --prerelease --override --exclude-newer --python-platform --source --file -G --channel-priority"
    " --override-channels --solver --trusted-host --uploaded-prior-to".split()
)
_INDEXES = {
    "-i": "index-url", "--index-url": "index-url", "--pypi-url": "index-url", "--default-index": "index-url",
    "--extra-index-url": "extra-index-url", "--index": "extra-index-url", "-f": "find-links", "--find-links": "find-links",
}  # fmt: skip
_DECLARED = ("-r", "--requirement", "--requirements", "-c", "--constraint", "--constraints")
_LISTS = ("-r", "--requirement", "--requirements")
_END = ("&&", "||", ";", "|", "&", ">", ">>", "2>", "2>&1", "<")


def installs(commands: Iterable[Command], path: str) -> list[Install]:
    """The installing commands among these, in their order; words that depend on the run are left out."""
    return [found for command in commands for found in _command(command, path)]


def manifest_of(document: Manifest | Recipe) -> Manifest:
    """A manifest as it is; of a script, an image or a workflow what it installs, in the form of one."""
    if isinstance(document, Manifest):
        return document
    found = installs(document.commands, document.path)
    return Manifest(
        document.path,
        "install",
        requirements=tuple(one for install in found for one in install.requirements),
        indexes=tuple(index for install in found for index in install.indexes),
    )


def _command(command: Command, path: str) -> Iterator[Install]:
    words = list(command.words)
    while words and (words[0].text in ("sudo", "env", "exec", "time", "nice", "then", "do", "RUN", "-E", "-H") or _is_setting(words[0])):
        words.pop(0)
    if len(words) > 1 and not words[0].known and _tool(words[1:])[0]:  # ``$RUN python -m pip install``
        words.pop(0)
    tool, verb, rest = _tool(words)
    if tool:
        yield _read(tool, verb, rest, command, path)


def _is_setting(word: Word) -> bool:
    return re.match(r"[A-Za-z_]\w*=", word.text) is not None


def _tool(words: list[Word]) -> tuple[str, str, list[Word]]:
    """Which installer a command calls, its verb, and what follows that."""
    texts = [posixpath.basename(word.text) if number == 0 else word.text for number, word in enumerate(words[:6])]
    if not texts:
        return _NONE
    if is_python(words[0].text) and texts[1:3] == ["-m", "pip"]:
        return _verb("pip", words[3:], ("install",))
    if is_python(words[0].text) and texts[1:3] == ["-m", "uv"]:
        return _tool(words[2:])
    if _PIP.match(texts[0]):
        return _verb("pip", words[1:], ("install",))
    if texts[0] == "uv":
        if texts[1:2] == ["pip"]:
            return _verb("uv", words[2:], ("install",))
        return _verb("uv", words[1:], ("add",))
    if texts[0] in _CONDA:
        return _verb("conda", words[1:], ("install", "create"))
    return _verb(texts[0], words[1:], ("add",)) if texts[0] in ("poetry", "pdm") else _NONE


_NONE: tuple[str, str, list[Word]] = ("", "", [])


def _verb(tool: str, words: list[Word], verbs: tuple[str, ...]) -> tuple[str, str, list[Word]]:
    for number, word in enumerate(words[:8]):
        if word.text in verbs:
            return tool, word.text, words[number + 1 :]
        if not word.text.startswith("-"):
            return _NONE
    return _NONE


def _read(tool: str, verb: str, words: list[Word], command: Command, path: str) -> Install:
    requirements: list[Requirement] = []
    indexes: list[IndexOption] = []
    files: list[str] = []
    local, declared = False, verb != "install"
    waiting = ""
    for word in words:
        span = (path, word.line, word.column, word.end_column if word.end_line == word.line else word.column + 1)
        if word.text in _END:
            break
        if waiting:
            option, waiting = waiting, ""
            declared = declared or option in _DECLARED
            if word.known and option in _INDEXES:
                indexes.append(IndexOption(_INDEXES[option], word.text, False, *span))
            elif word.known and option in _LISTS:
                files.append(_inside(path, word.text))
            elif word.known and option in ("-e", "--editable"):
                local = local or "://" not in word.text
                requirements += _made(word.text, span)
            elif word.known and option == "channel":
                indexes.append(IndexOption("channel", word.text, False, *span))
            continue
        name, mark, value = word.text.partition("=")
        if word.text.startswith("-"):
            waiting, taken = _option(tool, name, bool(mark))
            declared = declared or (bool(mark) and taken in _DECLARED)
            if not word.known:
                continue
            if mark and taken in _INDEXES:
                indexes.append(IndexOption(_INDEXES[taken], value, False, *span))
            elif mark and taken in _LISTS:
                files.append(_inside(path, value))
            continue
        if not word.known:
            continue
        if word.text.startswith((".", "/", "~")):
            local = True
        elif tool == "conda" and "/" not in word.text.partition("::")[2]:
            made = conda_requirement(word.text, span)
            requirements += [made] if isinstance(made, Requirement) and made.name else []
        else:
            requirements += _made(word.text, span)
    place = (command.line, command.column, command.end_line, command.end_column)
    return Install(tool, tuple(requirements), tuple(indexes), tuple(files), local, declared, *place)


def _option(tool: str, name: str, valued: bool) -> tuple[str, str]:
    """The option that waits for the next word, and the option itself."""
    if tool == "conda" and name in ("-c", "--channel"):
        return ("" if valued else "channel"), name
    takes = name in _INDEXES or name in _LISTS or name in ("-e", "--editable") or name in _VALUED
    return (name if takes and not valued else ""), name


def _made(text: str, span: tuple[str, int, int, int]) -> list[Requirement]:
    made = requirement(text, At("", *span))
    return [made] if made and (made.name or not made.url.startswith("file:")) else []


def _inside(path: str, target: str) -> str:
    """A list that a command names: relative to the script's folder it may be, to the root it mostly is."""
    return posixpath.normpath(target.lstrip("/")) if not target.startswith("../") else posixpath.normpath(
        posixpath.join(posixpath.dirname(path), target)
    )
