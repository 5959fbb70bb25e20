"""Repair a command that starts a job by ``torch.distributed.launch``: torchrun takes the same options."""

from __future__ import annotations

import posixpath
import re

from dlgovern.edits.sheet import Cut, Repair, Sheet
from dlgovern.finding import Hit
from dlgovern.repository.exports import Repository
from dlgovern.repository.launch import Launch, launches

_OLD, _NEW = "torch.distributed.launch", "torch.distributed.run"
_PLAIN = re.compile(r"(?:^|(?<=[\s;&|(\"']))python3?[ \t]+(?:-u[ \t]+)?-m[ \t]+$")
_USE_ENV = re.compile(r"[ \t]+--use[-_]env\b")
_MOST_FILES = 200


def start_with_torchrun(sheet: Sheet, hit: Hit, _parameters: dict[str, object]) -> Repair | None:
    """Write torchrun for the launcher that was hit, without ``--use-env``, which torchrun always does.

    A plain ``python -m`` goes too; an interpreter that is named otherwise stays, and runs the module that torchrun is.
    It is safe where ``--use-env`` was given, or nothing that the script imports speaks of an argument for the local
    rank. Where the script has the argument and does not know the variable LOCAL_RANK, a person must change it first.
    """
    start, end = sheet.span(hit)
    before = launches(sheet.document)
    index = next((n for n, one in enumerate(before) if _is_at(one, hit)), -1)
    launch = before[index] if index >= 0 else None
    if sheet.text[start:end].strip("\"'") == _OLD:
        found = _as_a_word(sheet, launch, hit) if launch is not None else None
    else:
        found = _in_a_text(sheet, start, end)
    if found is None:
        return None
    cuts, given = found
    if launch is None:  # a variable holds the launch: what it starts is not known
        return Repair(cuts, given)
    if not _is_the_same(before, launches(sheet.read(sheet.after(cuts))), index):
        return None
    local = "given" if given else _local_rank(sheet, launch)
    return None if local == "needed" else Repair(cuts, local in ("given", "unknown to the script"))


def _as_a_word(sheet: Sheet, launch: Launch, hit: Hit) -> tuple[tuple[Cut, ...], bool] | None:
    """The module as a word of its own, and whether ``--use-env`` was given."""
    cuts = [_named(sheet, hit.line, *sheet.span(hit))]
    given = launch.steps[-1].options.get("use-env")
    if given is not None:
        gone = _without(sheet, given.line, given.column, given.end_column)
        if gone is None:
            return None
        cuts.append(gone)
    return tuple(sorted(cuts)), given is not None


def _in_a_text(sheet: Sheet, start: int, end: int) -> tuple[tuple[Cut, ...], bool] | None:
    """The module in a text: a variable that holds the launch or its rest, a command written as a list."""
    written = sheet.text[start:end]
    if "\n" in written or written.count(_OLD) != 1:
        return None
    inner = start + written.index(_OLD)
    cuts = [_named(sheet, sheet.text.count("\n", 0, start) + 1, inner, inner + len(_OLD))]
    given = [Cut(start + found.start(), start + found.end(), "") for found in _USE_ENV.finditer(written)]
    if len(given) != len(re.findall(r"--use[-_]env", written)) or len(given) > 1:
        return None
    return tuple(sorted([*cuts, *given])), bool(given)


def _is_at(launch: Launch, hit: Hit) -> bool:
    step = launch.steps[-1]
    return step.name == _OLD and (step.line, step.column) <= (hit.line, hit.column) <= (step.end_line, step.end_column)


def _named(sheet: Sheet, line: int, start: int, end: int) -> Cut:
    plain = _PLAIN.search(sheet.text[sheet.line_start(line) : start])
    if plain is not None and sheet.text[start:end] == _OLD:
        return Cut(sheet.line_start(line) + plain.start(), end, "torchrun")
    inner = sheet.text.index(_OLD, start)
    return Cut(inner, inner + len(_OLD), _NEW)


def _without(sheet: Sheet, line: int, column: int, end_column: int) -> Cut | None:
    """The option goes with the blanks before it; alone on a line that goes on, with the line."""
    start, end = sheet.at(line, column), sheet.at(line, end_column)
    lead = sheet.text[sheet.line_start(line) : start]
    if re.fullmatch(r"\s*", lead):
        if re.fullmatch(r"[ \t]*\\\s*", sheet.text[end : sheet.line_end(line)]):
            return Cut(sheet.line_start(line), sheet.line_start(line + 1), "")
        follows = re.match(r"[ \t]+(?=\S)", sheet.text[end : sheet.line_end(line)])
        return Cut(start, end + follows.end(), "") if follows else None
    blanks = len(lead) - len(lead.rstrip(" \t"))
    return Cut(start - blanks, end, "") if blanks else None


def _is_the_same(before: list[Launch], after: list[Launch], index: int) -> bool:
    """Whether the repaired launch starts the same with torchrun, and all others are what they were."""
    if len(before) != len(after):
        return False
    old, new = before[index], after[index]
    return (
        new.launcher == "torchrun"
        and all(_said(one) == _said(other) for n, (one, other) in enumerate(zip(before, after, strict=True)) if n != index)
        and _said(old)[1:] == _said(new)[1:]
    )


def _said(launch: Launch) -> tuple[object, ...]:
    names = [step.name for step in launch.steps]
    options = {name: one.value for name, one in launch.steps[-1].options.items() if name != "use-env"} if launch.steps else {}
    target = launch.target.text if launch.target else ""
    return names, options, target, launch.module, [word.text for word in launch.arguments], [s[:2] for s in launch.settings]


def _local_rank(sheet: Sheet, launch: Launch) -> str:
    """What the script does with its local rank: "unknown to the script", "needed" as an argument, or "?"."""
    path = _script(sheet, launch)
    if path is None:
        return "?"
    texts = _closure(sheet.repository, path)
    if any(re.search(rb"--local[-_]rank", text) for text in texts):
        return "?" if any(b"LOCAL_RANK" in text for text in texts) else "needed"
    speaks = any(re.search(rb"local[-_]rank(?!\w)", text) for text in texts)
    return "?" if speaks or len(texts) >= _MOST_FILES else "unknown to the script"


def _script(sheet: Sheet, launch: Launch) -> str | None:
    """The file of the repository that a launch starts: beside the file that says so, at the root, or between."""
    target = launch.target
    if target is None or launch.module or not target.known or not target.text.endswith(".py") or target.text.startswith("/"):
        return None
    folder = sheet.path.rpartition("/")[0]
    while True:
        path = posixpath.normpath(posixpath.join(folder, target.text))
        if not path.startswith("../") and sheet.repository.data(path):
            return path
        if not folder:
            return None
        folder = folder.rpartition("/")[0]


def _closure(repository: Repository, path: str) -> list[bytes]:
    """The bytes of a script and of what it imports from the repository."""
    todo, seen = [path], {path}
    found: list[bytes] = []
    while todo and len(found) < _MOST_FILES:
        current = todo.pop()
        found.append(repository.data(current))
        names = [(line.level, dotted) for line in repository.imports(current) for dotted in (line.module, _joined(line.module, line.name))]
        names += [(0, dotted.decode("utf-8", "replace")) for dotted in _PLAIN_IMPORT.findall(found[-1])]
        for level, dotted in names:
            inner = repository.modules.find(current, level, dotted)
            if inner is not None and inner not in seen:
                seen.add(inner)
                todo.append(inner)
    return found


_PLAIN_IMPORT = re.compile(rb"^[ \t]*import[ \t]+(\w+(?:\.\w+)+)", re.M)


def _joined(module: str, name: str) -> str:
    return f"{module}.{name}" if module and name else module or name
