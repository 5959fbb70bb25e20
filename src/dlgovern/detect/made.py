"""What an expression is made of: its origin, the sources it derives from, its shape."""

from __future__ import annotations

import ast

from dlgovern.flow.constants import UNKNOWN, constant
from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import called_name, own_nodes
from dlgovern.flow.project import called
from dlgovern.source.names import Binding
from dlgovern.source.tree import scope, up

_DEPTH = 5


def has_origin(facts: Facts, value: ast.AST, names: list[str]) -> bool:
    """Whether an expression is one of these names, or an instance made by calling one."""
    origin = facts.names.origin(value)
    return origin is not None and (origin in names or origin.removesuffix("()") in names)


def derives(facts: Facts, value: ast.AST, sources: list[str], depth: int = _DEPTH) -> bool:
    """Whether one of the sources is a part of the value, followed through names that are bound here."""
    return any(_is_source(facts, node, sources, depth) for node in ast.walk(value))


def _is_source(facts: Facts, node: ast.AST, sources: list[str], depth: int) -> bool:
    if isinstance(node, ast.Call):
        origin = facts.names.origin(node.func)
        if origin in sources or (f"{origin}()" in sources and not node.args and not node.keywords):
            return True
        if depth and not node.args and not node.keywords and _gives(facts, node, sources, depth - 1):
            return True
    if (name := environment_read(facts, node)) and f"${name}" in sources:
        return True
    if "%" in sources and isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and not isinstance(node.left, ast.Constant | ast.JoinedStr):
        return True
    called = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    if called and f"~{called}" in sources:
        return True
    if depth and (default := _default_of_option(facts, node)) is not None:
        return derives(facts, default, sources, depth - 1)
    if depth and (stored := _stored(facts, node)):
        return all(derives(facts, value, sources, depth - 1) for value in stored)
    binding = _single_binding(facts, node)
    if not depth or binding is None or binding.value is None:
        return False
    if derives(facts, binding.value, sources, depth - 1):
        return True
    others = [one.value for one in _others(facts, node, binding)]
    return constant(facts, binding.value) is not UNKNOWN and bool(others) and all(
        value is not None and derives(facts, value, sources, depth - 1) for value in others
    )  # the branch of one process gives it a number


def _gives(facts: Facts, node: ast.Call, sources: list[str], depth: int) -> bool:
    """Whether a function of the repository that by its name gives a rank returns what derives from one of the sources."""
    name = called_name(node.func).lower()
    code = called(facts, node) if "rank" in name and "local" not in name else None
    if code is None or not isinstance(code.node, ast.FunctionDef):
        return False
    facts.reads |= code.facts.reads | {code.facts.path}
    found = [inner.value for inner in own_nodes(code.node.body) if isinstance(inner, ast.Return) and inner.value is not None]
    return any(derives(code.facts, value, sources, depth) for value in found)


def _single_binding(facts: Facts, node: ast.AST) -> Binding | None:
    binding = facts.names.binding(node) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) else None
    return binding if binding and binding.kind == "value" else None


def _stored(facts: Facts, node: ast.AST) -> list[ast.AST]:
    """What a file gives an attribute such as ``args.rank``, numbers and texts left out; nothing where it is not known what it is then.

    A value that counts on from the one before, ``args.rank * n + i``, says nothing of its own. An option may be given by who starts
    the program, and one that is called local by a launcher.
    """
    if not isinstance(node, ast.Attribute) or not isinstance(node.ctx, ast.Load) or not isinstance(node.value, ast.Name):
        return []
    if node.value.id == "self":
        found = [one.value if one.kind == "value" else None for one in facts.names.attribute_bindings(node)]
    else:
        found = facts.once(_stored, lambda: _all_stored(facts)).get((node.value.id, node.attr), [])
        if found and ("local" in node.attr or node.attr in _options(facts)):
            return []
    values: list[ast.AST] = []
    for one in found:
        if one is None:
            return []
        if not any(isinstance(part, ast.Attribute) and part.attr == node.attr and isinstance(part.ctx, ast.Load) for part in ast.walk(one)):
            values.append(one)
        elif any(isinstance(part, ast.Mod | ast.FloorDiv | ast.Sub) for part in ast.walk(one)):
            return []
    return [one for one in values if constant(facts, one) is UNKNOWN]


def _all_stored(facts: Facts) -> dict[tuple[str, str], list[ast.AST | None]]:
    """The name of an object and of its attribute -> what assignments give it; None for what a loop, an addition or a tuple gives."""
    found: dict[tuple[str, str], list[ast.AST | None]] = {}
    for node in facts.tree.of(ast.Attribute):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name):
            above = up(node)
            whole = isinstance(above, ast.AnnAssign) or (isinstance(above, ast.Assign) and node in above.targets)
            found.setdefault((node.value.id, node.attr), []).append(above.value if whole else None)  # type: ignore[union-attr]
    return found


def _default_of_option(facts: Facts, node: ast.AST) -> ast.expr | None:
    """The default of the command-line option that an attribute of the parsed arguments reads, None where the file sets it otherwise."""
    if not isinstance(node, ast.Attribute) or not isinstance(node.ctx, ast.Load) or not isinstance(node.value, ast.Name) or node.value.id == "self":
        return None
    return _options(facts).get(node.attr)


def _options(facts: Facts) -> dict[str, ast.expr | None]:
    return facts.once(_defaults, lambda: _defaults(facts) if b".add_argument(" in facts.data else {})


def _defaults(facts: Facts) -> dict[str, ast.expr | None]:
    """Option -> its default; None for one that is declared twice, or that an assignment changes."""
    found: dict[str, ast.expr | None] = {}
    for call in facts.tree.of(ast.Call):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "add_argument":
            names = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            name = next((name[2:].replace("-", "_") for name in names if name.startswith("--")), "")
            found[name] = None if name in found else next((word.value for word in call.keywords if word.arg == "default"), None)
    changed = [node.attr for node in facts.tree.of(ast.Attribute) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)]
    return {**found, **dict.fromkeys(name for name in changed if name in found)}


def _others(facts: Facts, node: ast.AST, binding: Binding) -> list[Binding]:
    """The other values that the branches beside give a name."""
    home = scope(binding.node)
    branch = up(binding.node)
    if not isinstance(node, ast.Name) or not isinstance(branch, ast.If) or binding.node not in branch.orelse:
        return []
    found = facts.names.bindings(home).get(node.id, [])
    return [one for one in found if one.kind == "value" and up(one.node) is branch and one.node in branch.body]


def environment_read(facts: Facts, node: ast.AST) -> str:
    """The variable that ``os.environ["X"]``, ``os.environ.get("X")`` or ``os.getenv("X")`` reads, else ""."""
    if isinstance(node, ast.Subscript) and facts.names.origin(node.value) == "os.environ":
        key = constant(facts, node.slice)
    elif isinstance(node, ast.Call) and facts.names.origin(node.func) in ("os.environ.get", "os.getenv"):
        key = constant(facts, node.args[0]) if node.args else ""
    else:
        return ""
    return key if isinstance(key, str) else ""


def shape(facts: Facts, value: ast.AST) -> str:
    """How an expression is built: ``[x] * n``, an f-string or format, a lambda, a literal; else ""."""
    if isinstance(value, ast.Name):
        binding = facts.names.binding(value)
        if binding and binding.kind == "value" and binding.value is not None:
            return shape(facts, binding.value)
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult):
        if any(isinstance(side, ast.List) and len(side.elts) == 1 for side in (value.left, value.right)):
            return "repeated-list"
    if isinstance(value, ast.JoinedStr):
        return "string-format"
    if isinstance(value, ast.Lambda):
        return "lambda"
    return "literal" if constant(facts, value) is not UNKNOWN else ""
