"""See uses of names that a table says came, went or are on their way out, judged by the version window."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.detect.tables import AHEAD, ANY, Allowed, Names, Row, allowed, library_of, names_of, reached
from dlgovern.finding import Hit
from dlgovern.flow.facts import Facts
from dlgovern.flow.guards import asks_version, has_fallback, is_replaced, only_for_types, tests_versions
from dlgovern.policy import Rule
from dlgovern.repository.window import STANDARD, Window
from dlgovern.source.tree import function, parents, up

PARAMETERS = {
    "table": Parameter("string", "a table of the standard with one row a name", required=True),
    "library": Parameter("string", "whose versions the table speaks of; \"\": each row's own package", default="torch"),
    "state": Parameter("string", "added, deprecated or removed: which column must be reached", required=True),
    "groups": Parameter("strings", "only rows of these groups", default=[]),
    "without": Parameter("strings", "no rows of these groups: another rule has them", default=[]),
    "ahead": AHEAD,
}
GUARDS = ("fallback", "version-test", "types-only")
"""What the detector is silent under; a rule's examples must show each."""


def triggers(_parameters: dict[str, Any], _tables: dict[str, Any]) -> str:
    """Depends on the version window, so it is asked again for each."""
    return "window"


def triggers_in(parameters: dict[str, Any], tables: dict[str, Any], window: Window | None) -> list[dict[str, Any]]:
    """The names that can matter in this window. A file that means a name below one means that one too."""
    known = Allowed(window, ANY.own if parameters.get("ahead") else None)
    names = names_of(tables, parameters["table"])
    return [_trigger(name) for name in _live(parameters, names, lambda name: known if library_of(parameters, name) == "torch" else ANY)]


def watch(rules: list[Rule], facts: Facts, tables: dict[str, Any]) -> dict[type, Callable[[Any], Iterator[Hit]]]:
    """Handlers for names, attributes and imports."""
    sights = [_Sight(rule, facts, tables) for rule in rules]
    lasts = {name.rpartition(".")[2] for sight in sights for name in sight.live}
    aliases = _aliases(facts)
    done: set[int] = set()

    def _may_mean(node: ast.Name | ast.Attribute) -> bool:
        """Most names and attributes of a file cannot be meant: told without asking where they come from."""
        return node.attr in lasts if isinstance(node, ast.Attribute) else node.id in aliases or node.id in lasts

    def use(node: ast.Name | ast.Attribute | ast.Call) -> Iterator[Hit]:
        if isinstance(node, ast.Call):
            if facts.names.origin(node.func) != "getattr" or len(node.args) != _PLAIN_GETATTR:
                return
        elif not isinstance(node.ctx, ast.Load) or not _may_mean(node):
            return
        else:
            node = _outermost(facts, node)
        if id(node) in done or _is_postponed(facts, node):
            return
        done.add(id(node))
        origin = facts.names.origin(node)
        if origin is None:
            return
        for sight in sights:
            row = sight.row(origin)
            if row and not sight.said_at_import(node, origin) and not guarded(node, sight.rule, row):
                yield sight.hit(node, row, origin)

    def import_from(node: ast.ImportFrom) -> Iterator[Hit]:
        if node.level or facts.inside(0, node.module or ""):
            return
        for alias in node.names:
            name = node.module or "" if alias.name == "*" else f"{node.module}.{alias.name}"
            for sight in sights:
                row = sight.row(name)
                if row and (sight.at_import or not _is_used(facts, alias, name)) and not guarded(node, sight.rule, row):
                    yield sight.hit(alias, row, name)

    def import_(node: ast.Import) -> Iterator[Hit]:
        for alias in node.names:
            if facts.inside(0, alias.name.partition(".")[0]):
                continue
            for sight in sights:
                row = sight.row(alias.name)
                if row and (sight.at_import or not alias.asname) and not guarded(node, sight.rule, row):
                    yield sight.hit(alias, row, alias.name)

    return {ast.Name: use, ast.Attribute: use, ast.Call: use, ast.ImportFrom: import_from, ast.Import: import_}


_CHOICE = ("groups", "without")  # parameters that choose rows
_PLAIN_GETATTR = 2  # a third argument is a fallback


class _Sight:
    """One rule on one file: the rows that are live here."""

    def __init__(self, rule: Rule, facts: Facts, tables: dict[str, Any]) -> None:
        self.rule = rule
        self.facts = facts
        self.names = names_of(tables, rule.parameters["table"])
        self.live = self._rows()
        self.state = rule.parameters["state"]
        self.at_import = self.state in ("added", "removed")

    def allowed(self, name: str) -> Allowed:
        """The versions that count for a name."""
        return allowed(self.facts.windows, self.facts.path, self.rule.parameters, name)

    def _rows(self) -> dict[str, Row]:
        """The rows that are live, found once for all files in which the same versions count."""
        asked = self.rule.parameters
        libraries = self.names.libraries(asked)
        key = (asked["state"], *(tuple(asked.get(word, ())) for word in _CHOICE), *map(self.allowed, libraries), libraries)
        if key not in self.names.live:
            self.names.live[key] = _live(asked, self.names, self.allowed)
        return self.names.live[key]

    def row(self, name: str) -> Row | None:
        """The row that speaks for a name, if it is live."""
        row = self.names.nearest(name)
        return row if row and row.name in self.live else None

    def said_at_import(self, node: ast.AST, origin: str) -> bool:
        """Whether the import that brings this name is itself reported: one mistake, one finding."""
        if not self.at_import:
            return False
        head = node
        while isinstance(head, ast.Attribute):
            head = head.value
        binding = self.facts.names.binding(head) if isinstance(head, ast.Name) else None
        if binding is None or binding.kind != "import":
            return False
        if isinstance(binding.node, ast.ImportFrom):
            return self.row(binding.origin) is not None
        modules = [alias.name for alias in binding.node.names] if isinstance(binding.node, ast.Import) else []
        return any(self.row(name) and f"{origin}.".startswith(f"{name}.") for name in modules)

    def hit(self, node: ast.AST, row: Row, name: str) -> Hit:
        """What is said of a place."""
        both = self.allowed(row.name)
        window = both.deciding(row, self.state)
        state = _state(row, self.state, window)
        replacement = row.replacement
        if row.fix == "rename" and row.name != name:
            replacement += name[len(row.name) :]
        found = self.facts.hit(
            self.rule.id,
            node,
            name=name,
            version=getattr(row, state),
            state=state,
            replacement=replacement,
            instead=f"Write `{replacement}`. {row.note}" if replacement else row.note,
            note=row.note,
            fix=row.fix,
            since=row.since,
            source=window.source if window else STANDARD,
        )
        if window is not both.own:
            return found._replace(level="info")
        if state == "added" and is_lazy(self.facts, node):
            return found._replace(confidence="medium")
        if row.evidence == "documented" and state == "deprecated":
            return found._replace(level="info")
        return found._replace(level="warning") if (self.state, state) == ("outdated", "deprecated") else found


def is_lazy(facts: Facts, node: ast.AST) -> bool:
    """Whether a new name may be guarded from afar: imported only on demand, or in a file that asks for versions."""
    inside = function(node) is not None
    return inside and (isinstance(node, ast.alias) or tests_versions(facts.tree))


def guarded(node: ast.AST, rule: Rule, row: Row | None = None) -> bool:
    """Whether code is written for several versions, or read only by a type checker.

    A ``row`` whose name went, or is on its way out, is not guarded where the newest version comes to the name all the same.
    """
    off = rule.parameters.get("without_guards", ())
    state = rule.parameters["state"]
    successor = row.replacement if row and state == "deprecated" else ""
    return (
        ("fallback" not in off and has_fallback(node, successor))
        or ("version-test" not in off and (asks_version(node, newest=row is not None and state != "added") or is_replaced(node)))
        or ("types-only" not in off and only_for_types(node))
    )


def _trigger(name: str) -> dict[str, Any]:
    """A member may be reached through an instance of its class: then the class is meant and the member a word."""
    owner, _, last = name.rpartition(".")
    if owner.rpartition(".")[2][:1].isupper():
        return {"name": owner, "all": [last]}
    return {"name": name}


def _live(parameters: dict[str, Any], names: Names, versions: Callable[[str], Allowed]) -> dict[str, Row]:
    """The rows that are in the rule's state for some version that counts."""
    groups, without = (parameters.get(word, ()) for word in _CHOICE)
    return {
        row.name: row
        for row in names.rows.values()
        if (not groups or row.group in groups)
        and row.group not in without
        and versions(row.name).deciding(row, parameters["state"])
    }


def _state(row: Row, state: str, window: Window | None) -> str:
    """The column that is reached; of an outdated name the worse one."""
    if state != "outdated":
        return state
    return "removed" if reached(row, "removed", window) else "deprecated"


def _outermost(facts: Facts, node: ast.Name | ast.Attribute) -> ast.Name | ast.Attribute:
    """The longest name that goes on around the node: the whole is judged, not its beginning."""
    parent = up(node)
    while isinstance(parent, ast.Attribute) and facts.names.origin(parent) is not None:
        node, parent = parent, up(parent)
    return node


def _aliases(facts: Facts) -> set[str]:
    """Local names that an import or an assignment of another name gives a meaning from elsewhere."""
    found = {
        alias.asname or alias.name.partition(".")[0]
        for node in facts.tree.of(ast.Import, ast.ImportFrom)
        for alias in node.names  # type: ignore[attr-defined]
    }
    for node in facts.tree.of(ast.Assign, ast.AnnAssign, ast.NamedExpr):
        value = node.value  # type: ignore[attr-defined]
        if isinstance(value, ast.Call) and not isinstance(value.func, ast.Name):
            continue  # a method's result: an instance, whose members are met as attributes
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]  # type: ignore[attr-defined]
        found |= {part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)}
    return found


def _is_postponed(facts: Facts, node: ast.AST) -> bool:
    """Whether the name stands in an annotation that is never read."""
    return _is_annotation(node) and any(
        isinstance(imported, ast.ImportFrom) and imported.module == "__future__" and "annotations" in _names(imported)
        for imported in facts.tree.of(ast.ImportFrom)
    )


def _names(node: ast.ImportFrom) -> list[str]:
    return [alias.name for alias in node.names]


def _is_annotation(node: ast.AST) -> bool:
    child: ast.AST = node
    for parent in parents(node):
        if isinstance(parent, ast.arg | ast.AnnAssign) and parent.annotation is child:
            return True
        if isinstance(parent, ast.stmt):
            return isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef) and parent.returns is child
        child = parent
    return False


def _is_used(facts: Facts, alias: ast.alias, name: str) -> bool:
    """Whether the file uses what this import brings; of several imports of one name it may use another."""
    local = alias.asname or alias.name
    return any(
        node.id == local and facts.names.origin(node) == name  # type: ignore[attr-defined]
        for node in facts.tree.of(ast.Name)
    )
