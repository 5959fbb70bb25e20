"""``dlgovern.lock``: what a project was made from, and what was written."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple, get_args

import tomli

from dlgovern import __version__
from dlgovern.errors import ConfigurationError
from dlgovern.scaffold.load import Standard, Template
from dlgovern.scaffold.project import LOCK, Made
from dlgovern.scaffold.render import toml
from dlgovern.scaffold.template import Answer, Owner

_LARGEST = 4 << 20
_HEAD = "# Written by dlgovern new, update and adopt; not by hand.\n"


class Entry(NamedTuple):
    """One file as the template made it."""

    owner: Owner
    sha256: str


class Pending(NamedTuple):
    """An update that waits for conflicts to be resolved."""

    version: str
    answers: dict[str, Answer]
    conflicts: dict[str, str]  # path -> how it shows in the file: markers, note or none
    before: dict[str, str]  # path -> git's name of the bytes before, "" for no file


class Lock(NamedTuple):
    """The lock file's content."""

    template: str
    version: str
    standard: dict[str, str]  # name, version, source
    answers: dict[str, Answer]
    files: dict[str, Entry]
    tool: str = __version__
    override: str = ""  # why a template was used although the standard has its library on hold
    pending: Pending | None = None


def of(
    template: Template, standard: Standard, answers: Mapping[str, Answer], made: Mapping[str, Made], override: str = ""
) -> Lock:
    """The lock of a project just made."""
    files = {path: Entry(one.owner, one.digest) for path, one in made.items()}
    return Lock(template.id, template.version, standard.facts(), dict(answers), files, override=override)


def dump(lock: Lock) -> bytes:
    """The lock as its file's bytes."""
    pending = lock.pending
    lines = [
        _HEAD.rstrip(), "schema = 1", f"state = {toml('pending' if pending else 'current')}", f"dlgovern = {toml(lock.tool)}",
        *([f"override = {toml(lock.override)}"] if lock.override else []),
        "", "[template]", f"id = {toml(lock.template)}", f"version = {toml(lock.version)}",
        "", "[standard]", *(f"{key} = {toml(lock.standard[key])}" for key in ("name", "version", "source")),
        "", "[answers]", *(f"{name} = {toml(value)}" for name, value in lock.answers.items()),
        "", "[files]",
        *(f"{toml(path)} = {toml(lock.files[path]._asdict())}" for path in sorted(lock.files)),
    ]  # fmt: skip
    if pending:
        lines += [
            "", "[update]", f"version = {toml(pending.version)}",
            "", "[update.answers]", *(f"{name} = {toml(value)}" for name, value in pending.answers.items()),
            "", "[update.conflicts]", *(f"{toml(path)} = {toml(pending.conflicts[path])}" for path in sorted(pending.conflicts)),
            "", "[update.before]", *(f"{toml(path)} = {toml(pending.before[path])}" for path in sorted(pending.before)),
        ]  # fmt: skip
    return ("\n".join(lines) + "\n").encode("utf-8")


def read(root: str) -> Lock:
    """The lock of the project in a folder. Raises ConfigurationError."""
    path = os.path.join(root, LOCK)
    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise ValueError("larger than 4 MiB")
        return _load(tomli.loads(data.decode("utf-8")))
    except FileNotFoundError:
        raise ConfigurationError(
            "there is no dlgovern.lock here: this project was not made from a template", root,
            "bring it under one with `dlgovern adopt`",
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"cannot be used: {error}", path, "restore it from version control") from None


def _load(data: dict[str, Any]) -> Lock:
    if data.get("schema") != 1:
        raise ValueError("its schema is not 1; a newer dlgovern wrote it, or somebody else did")
    template, standard, files = (_table(data, name) for name in ("template", "standard", "files"))
    pending = None
    if data.get("state") == "pending":
        update = _table(data, "update")
        pending = Pending(
            _word(update, "version"), _answers(_table(update, "answers")), _words(_table(update, "conflicts")),
            _words(_table(update, "before")),
        )  # fmt: skip
    return Lock(
        _word(template, "id"), _word(template, "version"),
        {key: _word(standard, key) for key in ("name", "version", "source")},
        _answers(_table(data, "answers")), {path: _entry(path, one) for path, one in files.items()},
        _word(data, "dlgovern"), str(data.get("override", "")), pending,
    )  # fmt: skip


def _table(data: dict[str, Any], name: str) -> dict[str, Any]:
    found = data.get(name)
    if not isinstance(found, dict):
        raise ValueError(f"the table [{name}] is missing")
    return found


def _word(data: dict[str, Any], name: str) -> str:
    found = data.get(name)
    if not isinstance(found, str):
        raise ValueError(f"{name} is missing, or no string")
    return found


def _words(data: dict[str, Any]) -> dict[str, str]:
    return {path: _word(data, path) for path in data}


def _answers(data: dict[str, Any]) -> dict[str, Answer]:
    for name, value in data.items():
        if not isinstance(value, str | bool | int) and not (isinstance(value, list) and all(isinstance(v, str) for v in value)):
            raise ValueError(f"the answer {name} has a form that no answer has")
    return data


def _entry(path: str, data: Any) -> Entry:
    if not isinstance(data, dict) or data.get("owner") not in get_args(Owner) or not isinstance(data.get("sha256"), str):
        raise ValueError(f"the entry of {path} needs an owner and a sha256")
    return Entry(data["owner"], data["sha256"])
