"""Run what a project's template promises, in the project, and gather the evidence."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any, Literal, NamedTuple

from dlgovern import __version__
from dlgovern.errors import UsageError
from dlgovern.scaffold.answers import names
from dlgovern.scaffold.checks import Measured, look
from dlgovern.scaffold.history import History
from dlgovern.scaffold.load import Template
from dlgovern.scaffold.lock import Lock
from dlgovern.scaffold.project import LOCK
from dlgovern.scaffold.render import Renderer, Unrenderable
from dlgovern.scaffold.template import Check, Promise

_LARGEST = 8 << 20  # characters of a command's output that are looked at
_NOT_STARTED = "could not be started"
_SHOWN = 20  # last lines of a command that failed
_ENTRY = {"torchrun": "torch.distributed.run", "pytest": "pytest"}
"""Commands that are modules of the project's environment."""


class Ready(NamedTuple):
    """A promise with its strings rendered."""

    promise: Promise
    command: list[str]
    checks: list[Check]
    keep: list[str]


class Outcome(NamedTuple):
    """What became of one promise."""

    name: str
    command: list[str]
    state: Literal["kept", "broken", "skipped", "impossible"]  # impossible: the command could not be started
    why: str = ""  # "" where it was kept
    exit: int | None = None  # None: it did not run, or was stopped
    seconds: float = 0.0
    checks: tuple[tuple[Check, Measured], ...] = ()
    hashes: dict[str, str] = {}  # noqa: RUF012 - a default that nobody changes
    tail: str = ""  # last lines of output, where it was not kept


def ready(template: Template, lock: Lock, work: str) -> list[Ready]:
    """The promises that hold for the project's answers. Raises UsageError."""
    renderer = Renderer({**names(template, lock.answers, lock.standard), "work": work}, template.parts)
    try:
        return [_rendered(promise, renderer) for promise in template.promises if renderer.holds(promise.when)]
    except Unrenderable as error:
        raise UsageError(f"a promise of the template {template.id} {template.version} cannot be rendered: {error.why}") from None


def find_python(root: str, said: str | None) -> str:
    """The interpreter of the project: the one named, that of its ``.venv``, else our own."""
    inner = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    path = os.path.abspath(said) if said else os.path.join(root, ".venv", *inner)
    if os.path.isfile(path):
        return path
    if said:
        raise UsageError("there is no such interpreter", said)
    return sys.executable


def run_all(root: str, promises: list[Ready], python: str, tell: Callable[[str], None]) -> Iterator[Outcome]:
    """Run the promises in their order; one whose conditions were not kept is not run."""
    broken: set[str] = set()
    for one in promises:
        missing = [name for name in one.promise.after if name in broken]
        if missing:
            outcome = Outcome(one.promise.name, one.command, "skipped", f"not run: {', '.join(missing)} was not kept")
        else:
            tell(f"{one.promise.name}: {' '.join(one.command)}")
            outcome = _run(root, one, python)
        if outcome.state != "kept":
            broken.add(one.promise.name)
        yield outcome


def evidence(root: str, lock: Lock, python: str, outcomes: list[Outcome], started: float, work: str) -> str:
    """Everything that was seen, as JSON; the folder ``work``, which is gone by then, is called WORK."""
    text = json.dumps(_evidence(root, lock, python, outcomes, started), indent=2) + "\n"
    return text.replace(json.dumps(work)[1:-1], "WORK")


def _evidence(root: str, lock: Lock, python: str, outcomes: list[Outcome], started: float) -> dict[str, Any]:
    history = History(root)
    commit, clean = "", None
    if history.there:
        commit, clean = history.commit(), not history.changed()[0]
    with open(os.path.join(root, LOCK), "rb") as file:
        digest = sha256(file.read()).hexdigest()
    return {
        "schema": "dlgovern/1",
        "evidence": {
            "project": {"name": lock.answers.get("name", ""), "commit": commit, "clean": clean, "lock_sha256": digest},
            "template": {"id": lock.template, "version": lock.version},
            "standard": lock.standard,
            "versions": {"dlgovern": __version__, "system": platform.platform(), "machine": platform.machine(), **_versions(python)},
            "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
            "seconds": round(sum(one.seconds for one in outcomes), 3),
            "kept": all(one.state == "kept" for one in outcomes),
            "promises": [_said(one) for one in outcomes],
        },
    }


def _rendered(promise: Promise, renderer: Renderer) -> Ready:
    checks = []
    for check in promise.check:
        if renderer.holds(check.when):
            texts = {word: renderer.text(getattr(check, word)) for word in ("file", "other", "key", "pattern")}
            checks.append(check.model_copy(update=texts))
    return Ready(promise, [renderer.text(word) for word in promise.command], checks, [renderer.text(word) for word in promise.keep])


def _run(root: str, one: Ready, python: str) -> Outcome:
    began = time.monotonic()
    code, output, tail, why = _start(root, one, python)
    seconds = round(time.monotonic() - began, 3)
    measured = tuple((check, look(check, root, output)) for check in one.checks) if not why else ()
    said = "; ".join(word for word in (why, *(found.why for _, found in measured if not found.kept)) if word)
    state: Literal["kept", "broken", "impossible"] = "impossible" if why.startswith(_NOT_STARTED) else "broken" if said else "kept"
    return Outcome(one.promise.name, one.command, state, said, code, seconds, measured, _hashes(root, one.keep), tail if said else "")


def _start(root: str, one: Ready, python: str) -> tuple[int | None, str, str, str]:
    """Exit code, standard output, last lines of both streams and what went wrong."""
    path = os.pathsep.join([os.path.dirname(python), os.environ.get("PATH", os.defpath)])
    environment = {**os.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1", **one.promise.environment}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            process = subprocess.Popen(
                _words(one.command, python), cwd=root, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                start_new_session=os.name != "nt",
            )  # fmt: skip
        except (OSError, ValueError) as error:
            return None, "", "", f"{_NOT_STARTED}: {error}"
        why = ""
        try:
            code: int | None = process.wait(one.promise.seconds)
        except subprocess.TimeoutExpired:
            code, why = None, f"did not end within {one.promise.seconds:g} seconds"
        finally:
            _stop(process)
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read(_LARGEST).decode("utf-8", "replace"))
    if code:
        why = f"ended with exit code {code}"
    return code, texts[0], "\n".join("\n".join(texts).splitlines()[-_SHOWN:]), why


def _words(command: list[str], python: str) -> list[str]:
    head, *rest = command
    if head == "python":
        return [python, *rest]
    if head == "dlgovern":
        return [sys.executable, "-P", "-m", "dlgovern", *rest]
    return [python, "-m", _ENTRY[head], *rest] if head in _ENTRY else command


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End whatever of the command still runs, its children included."""
    if os.name == "nt":
        process.kill()
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _hashes(root: str, patterns: list[str]) -> dict[str, str]:
    found = {}
    for pattern in patterns:
        for path in sorted(glob.glob(os.path.join(glob.escape(root), pattern), recursive=True)):
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb") as file:
                    found[os.path.basename(path) if os.path.isabs(pattern) else os.path.relpath(path, root)] = _digest(file)
    return found


def _digest(file: Any) -> str:
    made = sha256()
    while block := file.read(1 << 20):
        made.update(block)
    return made.hexdigest()


def _versions(python: str) -> dict[str, Any]:
    """Python and every distribution of the project's environment."""
    program = (
        "import importlib.metadata as m, json, platform; print(json.dumps({'python': platform.python_version(), 'packages': "
        "{d.metadata['Name']: d.version for d in m.distributions() if d.metadata['Name']}}))"
    )
    try:
        done = subprocess.run([python, "-I", "-c", program], capture_output=True, timeout=60, check=True, stdin=subprocess.DEVNULL)
        found = json.loads(done.stdout)
        return {"python": found["python"], "packages": dict(sorted(found["packages"].items(), key=lambda one: one[0].lower()))}
    except (OSError, ValueError, KeyError, subprocess.SubprocessError):
        return {"python": "", "packages": {}}


def _said(one: Outcome) -> dict[str, Any]:
    checks = [
        {
            "kind": check.kind, **check.model_dump(exclude={"kind", "when"}, exclude_defaults=True),
            "kept": found.kept, "measured": _finite(found.value), "why": found.why,
        }
        for check, found in one.checks
    ]  # fmt: skip
    return {
        "name": one.name, "command": one.command, "exit": one.exit, "seconds": one.seconds, "state": one.state, "why": one.why,
        "checks": checks, "sha256": one.hashes,
    }  # fmt: skip


def _finite(value: Any) -> Any:
    """The value, with numbers that JSON has not as words."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return str(value) if isinstance(value, float) and value - value != 0 else value
