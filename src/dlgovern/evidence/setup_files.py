"""The dependencies that a setup.cfg or a setup.py declares literally."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterable, Iterator

from dlgovern.evidence.specifiers import At, requirement
from dlgovern.evidence.values import Include, Manifest, Problem, PythonRange, Requirement, normal
from dlgovern.source.patterns import lazy

_SECTION = lazy(r"\[([^\]]+)\]\s*(?:[#;].*)?$")
_LIST = lazy(r"[\w./-]*(?:requirements?|reqs?)[\w./-]*\.(?:txt|in)")
_DELIMITER = lazy("[=:]")


def read_setup_cfg(text: str, path: str) -> Manifest:
    """``install_requires`` and the extras of a setup.cfg."""
    found: list[Requirement] = []
    problems: list[Problem] = []
    includes: list[Include] = []
    pythons: list[PythonRange] = []
    section, key, name = "", "", ""
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if not stripped or stripped[0] in "#;":
            continue
        header = _SECTION.match(stripped)
        if header and not line[0].isspace():
            section, key = header[1].strip(), ""
            continue
        if line[0].isspace():
            group, value = _group(section, key), stripped
        else:
            delimiter = _DELIMITER.search(line)
            if not delimiter:
                continue
            key, value = line[: delimiter.start()].strip(), line[delimiter.end() :].strip()
            group = _group(section, key)
        if section == "metadata" and key == "name" and not name:
            name = normal(value)
        elif section == "options" and key == "python_requires" and value:
            column = line.find(value) + 1
            pythons.append(PythonRange(value.replace(" ", ""), path, number, column, column + len(value)))
        if group is not None and value.startswith("file:"):
            includes += [Include("requirements", target, number) for target in _inside(path, value[5:].split(","))]
        if group is None or not value or value.startswith("file:"):
            continue
        part = re.split(r"\s#", value)[0].strip()
        column = line.find(part) + 1
        made = requirement(part, At(group, path, number, column, column + len(part)))
        if made:
            found.append(made)
        else:
            problems.append(Problem(path, number, "has a line that is no requirement"))
    return Manifest(
        path, "setup-cfg", requirements=tuple(found), problems=tuple(problems), published=bool(found),
        includes=tuple(includes), pythons=tuple(pythons), name=name,
    )  # fmt: skip


def _inside(path: str, names: Iterable[str]) -> Iterator[str]:
    """The files that a build file in ``path``'s folder names, relative to the root; what lies outside it is left out."""
    for name in names:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), name.strip()))
        if name.strip() and not target.startswith(("../", "/")):
            yield target


def _group(section: str, key: str) -> str | None:
    if section == "options" and key in ("install_requires", "setup_requires", "tests_require"):
        return "" if key == "install_requires" else key.partition("_")[0]
    if section == "options.extras_require" and key:
        return key
    return None


def read_setup_py(text: str, path: str) -> Manifest:
    """The literal lists that a setup.py hands to ``setup``; what is computed stays unknown."""
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Manifest(path, "setup-py", problems=(Problem(path, 0, "does not parse"),))
    bound = _bound(module)
    found: list[Requirement] = []
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and _last(node.func) == "setup":
            for keyword in node.keywords:
                _argument(keyword, bound, path, found)
    found.sort(key=lambda entry: (entry.line, entry.column))
    calls = [node for node in ast.walk(module) if isinstance(node, ast.Call) and _last(node.func) == "setup"]
    keywords = {keyword.arg: keyword.value for call in calls for keyword in call.keywords if keyword.arg}
    computed = [_is_computed(keywords.get(name), bound) for name in ("install_requires", "extras_require")]
    spread = any(keyword.arg is None for call in calls for keyword in call.keywords)
    name = _text(keywords.get("name"), bound)
    return Manifest(
        path, "setup-py", requirements=tuple(found), published=bool(calls), name=normal(name) if name else "",
        partial=spread or any(computed), pythons=tuple(_python(keywords.get("python_requires"), bound, path)),
        includes=tuple(_lists(module, path)) if any(computed) else (),
    )  # fmt: skip


def _bound(module: ast.Module) -> dict[str, ast.expr]:
    """What names at the top stand for; a table that is filled key by key, as the table it becomes."""
    bound: dict[str, ast.expr] = {}
    for statement in module.body:
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            continue
        target = statement.targets[0]
        if isinstance(target, ast.Name):
            bound[target.id] = statement.value
        elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            table = bound.get(target.value.id)
            if isinstance(table, ast.Dict):
                bound[target.value.id] = ast.Dict([*table.keys, target.slice], [*table.values, statement.value])
    return bound


def _joined(value: ast.expr | None, bound: dict[str, ast.expr], depth: int = 0) -> list[ast.expr] | None:
    """The items of a list that is written, named, or joined of such; None where that is not known."""
    if isinstance(value, ast.List | ast.Tuple):
        return value.elts
    if depth > _DEEPEST:
        return None
    if isinstance(value, ast.Name):
        return _joined(bound.get(value.id), bound, depth + 1)
    if isinstance(value, ast.Subscript) and isinstance(value.value, ast.Name):
        table = bound.get(value.value.id)
        for key, entry in zip(reversed(table.keys), reversed(table.values), strict=True) if isinstance(table, ast.Dict) else ():
            if key is not None and ast.dump(key) == ast.dump(value.slice):
                return _joined(entry, bound, depth + 1)
        return None
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
        left, right = _joined(value.left, bound, depth + 1), _joined(value.right, bound, depth + 1)
        return [*left, *right] if left is not None and right is not None else None
    return None


_DEEPEST = 12


def _is_computed(value: ast.expr | None, bound: dict[str, ast.expr]) -> bool:
    """Whether a list of requirements, or a table of them, holds something that is no literal."""
    if isinstance(value, ast.Name):
        value = bound.get(value.id, value)
    if value is None or (isinstance(value, ast.Constant) and isinstance(value.value, str | None)):
        return False
    if isinstance(value, ast.Dict):
        return any(_is_computed(entry, bound) for entry in value.values)
    items = _joined(value, bound)
    return items is None or not all(isinstance(entry, ast.Constant) for entry in items)


def _lists(module: ast.Module, path: str) -> Iterator[Include]:
    """The requirements files that the program names: it reads them, somehow."""
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _LIST.fullmatch(node.value):
            for target in _inside(path, [node.value]):
                yield Include("requirements", target, node.lineno)


def _python(value: ast.expr | None, bound: dict[str, ast.expr], path: str) -> Iterator[PythonRange]:
    text = _text(value, bound)
    if text and value is not None:
        column = value.col_offset + 2
        yield PythonRange(text.replace(" ", ""), path, value.lineno, column, column + len(text))


def _text(value: ast.expr | None, bound: dict[str, ast.expr]) -> str:
    if isinstance(value, ast.Name):
        value = bound.get(value.id)
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""


def _argument(keyword: ast.keyword, bound: dict[str, ast.expr], path: str, found: list[Requirement]) -> None:
    value = bound.get(keyword.value.id, keyword.value) if isinstance(keyword.value, ast.Name) else keyword.value
    if keyword.arg == "install_requires":
        _strings(_joined(value, bound), "", path, found)
    elif keyword.arg == "extras_require" and isinstance(value, ast.Dict):
        for key, entries in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                _strings(_joined(entries, bound), key.value, path, found)


def _strings(items: list[ast.expr] | None, group: str, path: str, found: list[Requirement]) -> None:
    for entry in items or ():
        if isinstance(entry, ast.Constant) and isinstance(entry.value, str):
            column = entry.col_offset + 2
            made = requirement(entry.value, At(group, path, entry.lineno, column, column + len(entry.value)))
            if made:
                found.append(made)


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
