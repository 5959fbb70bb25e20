"""Give a container more shared memory: a volume in memory, the memory of the host."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dlgovern.edits.sheet import Cut, Repair, Sheet
from dlgovern.evidence.nodes import Broken, Node
from dlgovern.finding import Hit

_RUN = re.compile(r"(?<![\w-])(?:docker|nvidia-docker|podman|nerdctl)[ \t]+(?:run|create)(?=[ \t]|$)")
_NAME = "shm"


def share_memory(sheet: Sheet, hit: Hit, _parameters: dict[str, object]) -> Repair | None:
    """``--ipc=host`` for a container started by hand, ``ipc: host`` for a service, a volume at /dev/shm for a pod."""
    if sheet.kind != "yaml":
        return _by_hand(sheet, hit)
    try:
        document = sheet.nodes
    except Broken:
        return None
    if document.templated:
        return None
    if sheet.document.form == "compose":
        return _service(sheet, hit, document.roots[0])
    if sheet.document.form != "cluster":
        return _by_hand(sheet, hit)
    found = [pair for root in document.roots for pair in _containers(root) if _holds(pair[1], hit)]
    return _pod(sheet, *found[-1]) if found else None


def _by_hand(sheet: Sheet, hit: Hit) -> Repair | None:
    found = list(_RUN.finditer(sheet.line(hit.line)))
    if len(found) != 1:
        return None
    at = sheet.line_start(hit.line) + found[0].end()
    return Repair((Cut(at, at, " --ipc=host"),))


def _service(sheet: Sheet, hit: Hit, root: Node) -> Repair | None:
    services = root.get("services")
    for name, service in services.pairs if services is not None else ():
        if name.line == hit.line or _holds(service, hit):
            cut = _key_before(sheet, service, "ipc: host")
            return Repair((cut,)) if cut else None
    return None


def _containers(root: Node) -> Iterator[tuple[Node, Node]]:
    """Every pod specification with each of its containers, from the outside in."""
    todo = [root]
    while todo:
        node = todo.pop()
        listed = node.get("containers") if node.kind == "mapping" else None
        if listed is not None and listed.kind == "sequence":
            yield from ((node, item) for item in listed.items if item.kind == "mapping")
        todo += [*node.items, *(value for _, value in node.pairs)]


def _holds(node: Node, hit: Hit) -> bool:
    return (node.line, node.column) <= (hit.line, hit.column) < (node.end_line, node.end_column)


def _pod(sheet: Sheet, pod: Node, container: Node) -> Repair | None:
    volumes = pod.get("volumes")
    taken = {name.text for item in (volumes.items if volumes else ()) if (name := item.get("name")) is not None}
    if _NAME in taken:
        return None
    mount = _entry(sheet, container, "volumeMounts", {"name": _NAME, "mountPath": "/dev/shm"})
    volume = _entry(sheet, pod, "volumes", {"name": _NAME, "emptyDir": {"medium": "Memory"}})
    return Repair(tuple(sorted((mount, volume)))) if mount and volume else None


def _entry(sheet: Sheet, owner: Node, key: str, entry: dict[str, object]) -> Cut | None:
    """One more item in the list under a key, in the style in which the list is written."""
    listed = owner.get(key)
    if listed is None:
        lines = _block(entry)
        return _key_before(sheet, owner, "\n".join([f"{key}:", f"- {lines[0]}", *(f"  {line}" for line in lines[1:])]))
    if listed.kind != "sequence":
        return None
    at = sheet.at(listed.line, listed.column)
    if sheet.text[at : at + 1] == "[":
        return Cut(at + 1, at + 1, _flow(entry) + (", " if listed.items else ""))
    lead = sheet.line(listed.line)[: listed.column - 1]
    if sheet.text[at : at + 1] != "-" or lead.strip():
        return None
    first, *rest = _block(entry)
    start = sheet.line_start(listed.line)
    return Cut(start, start, "".join(f"{lead}{text}\n" for text in (f"- {first}", *(f"  {line}" for line in rest))))


def _key_before(sheet: Sheet, owner: Node, written: str) -> Cut | None:
    """A key in front of the first one of a mapping in block style that begins its line."""
    for key, _value in owner.pairs:
        lead = sheet.line(key.line)[: key.column - 1]
        if not lead.strip() and key.column == owner.column and sheet.text[sheet.at(owner.line, owner.column)] != "{":
            start = sheet.line_start(key.line)
            return Cut(start, start, "".join(f"{lead}{line}\n" for line in written.split("\n")))
    return None


def _block(entry: dict[str, object]) -> list[str]:
    lines = []
    for key, value in entry.items():
        if isinstance(value, dict):
            lines += [f"{key}:", *(f"  {line}" for line in _block(value))]
        else:
            lines.append(f"{key}: {value}")
    return lines


def _flow(entry: dict[str, object]) -> str:
    return "{" + ", ".join(f"{key}: {_flow(value) if isinstance(value, dict) else value}" for key, value in entry.items()) + "}"
