"""What happens to models and optimizers in a function, in order, through the functions of the repository that it calls."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from dlgovern.flow.calls import Arguments, arguments, callee
from dlgovern.flow.constants import constant
from dlgovern.flow.facts import Facts
from dlgovern.flow.leads import may_lead
from dlgovern.flow.paths import Guard, assigned_names, guards, names_in, own_nodes, written
from dlgovern.flow.project import Code, Function, called
from dlgovern.repository.outline import Seeds
from dlgovern.source.tree import parents

_DEPTH = 2
_PARAMETERS = frozenset({"parameters", "named_parameters"})
_PLACES = frozenset({"to", "cuda", "cpu", "half", "bfloat16", "float", "double"})
_LARGEST = 4_000  # nodes of a function; one that is larger is not followed into


class Moment(NamedTuple):
    """Something that happens to an object: ``subject`` is the model as written in the function that is asked about."""

    kind: str
    subject: str
    gets: str  # the name that gets the result, "" for none
    node: ast.AST  # in the file that is asked about: a call of a helper stands for what it does
    guards: tuple[Guard, ...]
    text: str


def moments(facts: Facts, body: list[ast.stmt], table: Mapping[str, Any], kinds: tuple[str, ...], depth: int = _DEPTH) -> list[Moment]:
    """What happens below these statements, in source order."""
    known = _KNOWN.setdefault(facts, {})
    key = (id(body), kinds, depth)
    if key not in known:
        known[key] = []  # functions that call each other end here
        found = list(_moments(facts, body, table, kinds, depth))
        known[key] = sorted(found, key=lambda one: (one.node.lineno, one.node.col_offset))  # type: ignore[attr-defined]
    return known[key]


_KNOWN: WeakKeyDictionary[Facts, dict[tuple[int, tuple[str, ...], int], list[Moment]]] = WeakKeyDictionary()


def mentions(facts: Facts, node: ast.AST, table: Mapping[str, Any], kinds: tuple[str, ...]) -> bool:
    """Whether a call is, by its name, one of what happens to objects."""
    if not isinstance(node, ast.Call):
        return False
    origin = callee(facts, node) or ""
    return any(
        _among(origin, entry.get("names", ())) or (isinstance(node.func, ast.Attribute) and node.func.attr in entry.get("methods", ()))
        for entry in (table.get(kind, {}) for kind in kinds)
    )


def model_of(node: ast.AST) -> str:
    """The model at the root of an expression: ``net`` of ``net.layers[0]``, or of a loop over its parts."""
    current = node
    while True:
        if isinstance(current, ast.Subscript):
            current = current.value
        elif isinstance(current, ast.Call):
            current = current.func
        elif isinstance(current, ast.Attribute) and written(current.value) != "self":
            current = current.value
        else:
            break
    name = written(current)
    for parent in parents(node):
        if isinstance(parent, ast.For) and name and name in names_in(parent.target) and current is not parent.iter:
            return model_of(_iterated(parent.iter))
        if isinstance(parent, Function):
            break
    return name


def _iterated(node: ast.expr) -> ast.expr:
    """What a loop goes over, without ``enumerate``, ``reversed`` or ``list``."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
        node = node.args[0]
    return node


def _moments(
    facts: Facts, body: list[ast.stmt], table: Mapping[str, Any], kinds: tuple[str, ...], depth: int
) -> Iterator[Moment]:
    for node in own_nodes(body):
        if isinstance(node, ast.Call):
            direct = list(_call(facts, node, table, kinds))
            yield from direct
            if not direct and depth:
                yield from _helper(facts, node, table, kinds, depth)
        elif isinstance(node, ast.Assign):
            for kind in kinds:
                if table.get(kind, {}).get("assigns") and (subject := _new_part(facts, node)):
                    yield Moment(kind, subject, "", node, guards(node), written(node.targets[0]))


def _call(facts: Facts, node: ast.Call, table: Mapping[str, Any], kinds: tuple[str, ...]) -> Iterator[Moment]:
    origin = callee(facts, node) or ""
    for kind in kinds:
        entry = table.get(kind, {})
        gets = ",".join(sorted(assigned_names(node)))
        if kind == "optimizers":
            if _among(origin, entry.get("names", ())) and not _among(origin, entry.get("but", ())) and origin.rpartition(".")[2][:1].isupper():
                for subject in _parameters_of(facts, node):
                    yield Moment(kind, subject, gets, node, guards(node), origin)
        elif _among(origin, entry.get("names", ())):
            model = arguments(facts, node)
            if _keeps(facts, model, entry):
                continue
            first = model.positional[0] if model.positional else model.keywords.get("module")
            if first is not None and (subject := model_of(first)):
                yield Moment(kind, subject, gets, node, guards(node), origin.rpartition(".")[2])
        elif isinstance(node.func, ast.Attribute) and node.func.attr in entry.get("methods", ()):
            if subject := model_of(node.func.value):
                yield Moment(kind, subject, gets, node, guards(node), node.func.attr)
        elif entry.get("assigns") and isinstance(node.func, ast.Attribute) and node.func.attr == "load_state_dict":
            if constant(facts, arguments(facts, node).keywords.get("assign")) is True:
                yield Moment(kind, model_of(node.func.value), "", node, guards(node), "load_state_dict(assign=True)")


def _keeps(facts: Facts, model: Arguments, entry: Mapping[str, Any]) -> bool:
    """Whether a wrapper is told to leave the parameters what they are."""
    given = {word: constant(facts, model.keywords[word]) for word in (*entry.get("keeps", ()), *entry.get("flattens", ())) if word in model.keywords}
    return any((said is False) is (word in entry.get("flattens", ())) for word, said in given.items())


def _helper(facts: Facts, node: ast.Call, table: Mapping[str, Any], kinds: tuple[str, ...], depth: int) -> Iterator[Moment]:
    """What a function of the repository does to the objects that it is given, and to those of its own instance."""
    own = isinstance(node.func, ast.Attribute) and written(node.func.value) == "self"
    if not own and not any(isinstance(arg, ast.Name | ast.Attribute) for arg in (*node.args, *(w.value for w in node.keywords))):
        return  # it is given no object
    origin = callee(facts, node)
    if origin is not None and origin[:1] != "." and not facts.inside(0, origin.partition(".")[0].replace("()", "")):
        return  # not a function of the repository
    if not may_lead(facts, node, facts.once((_seeds, id(table), kinds), lambda: _seeds(table, kinds))):
        return
    code = called(facts, node)
    if code is None or not isinstance(code.node, Function) or not _is_small(code):
        return
    given = _given(code.node, node)
    if not (given or own) or not _speaks(code, table, kinds, depth):
        return
    facts.reads |= code.facts.reads
    for inner in moments(code.facts, code.node.body, table, kinds, depth - 1):
        subject = given.get(inner.subject, inner.subject if own and inner.subject.startswith("self.") else "")
        if not subject:
            continue
        gets = inner.gets if own and inner.gets.startswith("self.") else ",".join(sorted(assigned_names(node)))
        yield Moment(inner.kind, subject, gets, node, guards(node) + inner.guards, inner.text)


def _seeds(table: Mapping[str, Any], kinds: tuple[str, ...]) -> Seeds:
    """Words of which a function that does what the table names, itself or through others, has one."""
    words = {word.rstrip(".") for kind in kinds for word in _methods(table.get(kind, {}), kind)}
    words |= {name.rpartition(".")[2] for kind in kinds for name in table.get(kind, {}).get("names", ())}
    return Seeds(frozenset(words - {"*"}))


def _given(function: Function, call: ast.Call) -> dict[str, str]:
    """Parameter -> the model that a call gives it."""
    names = [arg.arg for arg in (*function.args.posonlyargs, *function.args.args)]
    if names[:1] in (["self"], ["cls"]):
        names = names[1:]
    given = {name: written(arg) for name, arg in zip(names, call.args, strict=False)}
    given |= {word.arg: written(word.value) for word in call.keywords if word.arg}
    return {name: text for name, text in given.items() if text}


def _speaks(code: Code, table: Mapping[str, Any], kinds: tuple[str, ...], depth: int) -> bool:
    """Whether a function can do what the table names, told from text; one that may call others always can."""
    if depth > 1:
        return True
    first, last = code.node.lineno, code.node.end_lineno or code.node.lineno
    text = "\n".join(code.facts.lines[first - 1 : last])
    if any(word in text for kind in kinds for word in _methods(table.get(kind, {}), kind)):
        return True
    names = (name.removesuffix(".*").rpartition(".")[2] for kind in kinds for name in table.get(kind, {}).get("names", ()))
    return any(name.encode() in code.facts.data for name in names)  # the function may know it by another name


def _methods(entry: Mapping[str, Any], kind: str) -> list[str]:
    if kind == "optimizers":
        return list(_PARAMETERS)
    return [*entry.get("methods", ()), *(["load_state_dict", "nn."] if entry.get("assigns") else [])]


def _is_small(code: Code) -> bool:
    return (code.node.end_lineno or 0) - code.node.lineno < _LARGEST // 10


def _parameters_of(facts: Facts, call: ast.Call) -> list[str]:
    """The models whose parameters an optimizer is given, through one name."""
    found: list[str] = []
    todo: list[ast.AST] = [*call.args, *(word.value for word in call.keywords)]
    followed: set[int] = set()
    while todo:
        for node in ast.walk(todo.pop()):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _PARAMETERS:
                if (subject := model_of(node.func.value)) and subject not in found:
                    found.append(subject)
            elif isinstance(node, ast.Call) and not (facts.names.origin(node.func) or "").startswith(("torch.", "copy.")):
                found += [name for arg in node.args if (name := written(arg)) and name not in found]  # groups(model, decay)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                binding = facts.names.binding(node)
                if binding and binding.kind == "value" and binding.value is not None and id(binding.value) not in followed:
                    followed.add(id(binding.value))
                    if len(followed) < 8:  # noqa: PLR2004 - lists of lists of parameters, and no more
                        todo.append(binding.value)
    return found


def _new_part(facts: Facts, node: ast.Assign) -> str:
    """The model whose part is replaced by a new module: ``net.head = nn.Linear(…)``."""
    target = node.targets[0]
    if not isinstance(target, ast.Attribute) or not isinstance(node.value, ast.Call) or written(target.value) == "self":
        return ""
    made_by: ast.expr = node.value
    while isinstance(made_by, ast.Call) and isinstance(made_by.func, ast.Attribute) and made_by.func.attr in _PLACES:
        made_by = made_by.func.value  # nn.Linear(…).to(device)
    origin = (callee(facts, made_by) or "") if isinstance(made_by, ast.Call) else ""
    made = origin.startswith("torch.nn.") and origin.rpartition(".")[2][:1].isupper() and "Parallel" not in origin
    return model_of(target.value) if made and written(target.value) else ""


def _among(origin: str, names: Any) -> bool:
    return bool(origin) and any(
        origin == name or (name.endswith(".*") and origin.startswith(name[:-1]) and "()" not in origin) for name in names
    )
