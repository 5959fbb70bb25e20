"""Plan what the repairs of findings make of files, and write what was planned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

from dlgovern.finding import Edit, Finding
from dlgovern.fix import write as writing
from dlgovern.fix.merge import Left, Merged, merge, replace
from dlgovern.fix.place import Refused, current, resolve
from dlgovern.fix.prove import codec_for, fault


class FileChange(NamedTuple):
    """One file with its repairs made, in memory. ``digest`` is empty for a file that is to be created."""

    path: str
    digest: str
    before: bytes
    after: bytes
    edits: tuple[Edit, ...]  # sorted, separate
    findings: tuple[Finding, ...]  # whose repairs are in ``after``


class Plan(NamedTuple):
    """What can be changed now, and what is left with the reason; another round may take what overlaps."""

    changes: tuple[FileChange, ...]  # sorted by path
    left: tuple[Left, ...]


class _Source(NamedTuple):
    data: bytes
    digest: str


def wanted(findings: Iterable[Finding], unsafe: bool) -> list[Finding]:
    """The open findings with a repair; those that may change the meaning only if ``unsafe``."""
    return [one for one in findings if one.state == "open" and one.fix is not None and (one.fix.safe or unsafe)]


def plan(root: str, findings: Iterable[Finding], unsafe: bool = False) -> Plan:
    """Make the repairs of open findings in memory, each as a whole or not at all, and prove every file.

    Where a file does not stand the proof, the repairs that break it are left and the rest is tried again.
    """
    candidates = wanted(findings, unsafe)
    sources: dict[str, _Source | str] = {}
    left: list[Left] = []
    usable = []
    for finding in candidates:
        why = _unusable(root, finding, sources)
        if why:
            left.append(Left(finding, why))
        else:
            usable.append(finding)
    while True:
        merged = merge(usable)
        broken = _broken(merged, sources)
        if not broken:
            break
        out = {one.finding: one.why for one in broken}
        left.extend(Left(finding, why) for finding, why in out.items())
        usable = [finding for finding in usable if finding not in out]
    changes = [_change(path, edits, merged, sources) for path, edits in merged.edits.items()]
    return Plan(tuple(changes), tuple(sorted([*left, *merged.left])))


def write(root: str, changes: Sequence[FileChange]) -> list[writing.Written]:
    """Write planned changes; files that share a repair are written together or not at all.

    A file that is not as it was planned is skipped. Raises `write.Interrupted`, with what was written until then.
    """
    groups = [
        tuple(writing.Content(change.path, change.digest, change.after) for change in group)
        for group in _together(changes)
    ]
    return sorted(writing.write(root, groups))


def _unusable(root: str, finding: Finding, sources: dict[str, _Source | str]) -> str:
    """Why a repair cannot even be tried: a file of it cannot be had, or is not the one it was made for."""
    for edit in finding.fix.edits if finding.fix else ():
        if edit.path not in sources:
            sources[edit.path] = _source(root, edit.path)
        source = sources[edit.path]
        if isinstance(source, str):
            return f"{edit.path} {source}"
        if source.digest != edit.digest:
            return f"{edit.path} {'changed on disk' if source.digest and edit.digest else _existence(edit)}"
    return ""


def _existence(edit: Edit) -> str:
    return "does not exist any more" if edit.digest else "exists already"


def _source(root: str, path: str) -> _Source | str:
    try:
        data, status = current(resolve(root, path))
    except Refused as error:
        return error.why
    return _Source(data, sha256(data).hexdigest() if status is not None else "")


def _broken(merged: Merged, sources: dict[str, _Source | str]) -> list[Left]:
    """The findings whose repairs make a file fail its proof, file by file, fewest first."""
    broken: list[Left] = []
    for path, edits in merged.edits.items():
        if _fault(path, edits, sources):
            kept: list[Finding] = []
            for finding in _of_file(merged, path):
                why = _fault(path, merge([*kept, finding]).edits[path], sources)
                if why:
                    broken.append(Left(finding, f"{path} {why}"))
                else:
                    kept.append(finding)
    return broken


def _fault(path: str, edits: Sequence[Edit], sources: dict[str, _Source | str]) -> str:
    before = _data(path, sources)
    try:
        after = replace(before, edits, codec_for(path, before))
    except (ValueError, LookupError) as error:
        return f"cannot be changed: {error}"
    return fault(path, before, after, edits)


def _change(path: str, edits: tuple[Edit, ...], merged: Merged, sources: dict[str, _Source | str]) -> FileChange:
    before = _data(path, sources)
    after = replace(before, edits, codec_for(path, before))
    return FileChange(path, edits[0].digest, before, after, edits, tuple(_of_file(merged, path)))


def _of_file(merged: Merged, path: str) -> list[Finding]:
    return [one for one in merged.taken if one.fix and any(edit.path == path for edit in one.fix.edits)]


def _data(path: str, sources: dict[str, _Source | str]) -> bytes:
    source = sources[path]
    return source.data if isinstance(source, _Source) else b""


def _together(changes: Sequence[FileChange]) -> list[list[FileChange]]:
    """The changes in groups, so that no repair has edits in two of them."""
    leader = {change.path: change.path for change in changes}

    def lead(path: str) -> str:
        while leader[path] != path:
            path = leader[path]
        return path

    first: dict[Finding, str] = {}
    for change in changes:
        for finding in change.findings:
            leader[lead(change.path)] = lead(first.setdefault(finding, change.path))
    groups: dict[str, list[FileChange]] = {}
    for change in changes:
        groups.setdefault(lead(change.path), []).append(change)
    return list(groups.values())
