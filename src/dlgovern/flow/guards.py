"""Whether code is written for several versions: fallbacks and version tests around a node."""

from __future__ import annotations

import ast
import re

from dlgovern.source.tree import Tree, parents, up

_MISSING = frozenset({"ImportError", "ModuleNotFoundError", "AttributeError", "Exception", "BaseException"})
_VERSION = re.compile(r"version|hasattr|_available|find_spec|TORCH_|torch_(?:ge|gt|lt|le|ver)|has_[a-z_]+|is_torch_|min_torch", re.I)

_DEVICE = re.compile(r"^is_available$|(?:cuda|npu|mlu|mps|xpu|musa|tpu|hpu|gpu|nccl|gloo|distributed|bf16)_available$", re.I)


def has_fallback(node: ast.AST) -> bool:
    """Whether a missing name is caught around ``node``: ``try: … except ImportError``.

    The handlers themselves count too: they hold the other version's spelling.
    """
    child = node
    for parent in parents(node):
        if isinstance(parent, ast.Try) and not any(child is item for item in (*parent.orelse, *parent.finalbody)):
            if any(_catches(handler.type) for handler in parent.handlers):
                return True
        if isinstance(parent, ast.With | ast.AsyncWith) and any(_suppresses(item.context_expr) for item in parent.items):
            return True
        child = parent
    return False


def asks_version(node: ast.AST) -> bool:
    """Whether ``node`` stands under a test of a version or of a name's existence, or after such an early exit."""
    child = node
    for parent in parents(node):
        if isinstance(parent, ast.If | ast.IfExp) and child is not parent.test and _is_version_test(parent.test):
            return True
        if isinstance(parent, ast.BoolOp) and any(_is_version_test(v) for v in parent.values if v is not child):
            return True
        if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module) and _exits_before(parent.body, child):
            return True
        if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and any(
            _is_version_test(decorator) for decorator in parent.decorator_list
        ):
            return True
        child = parent
    return False


def is_replaced(node: ast.AST) -> bool:
    """Whether ``x = old`` is followed by ``if hasattr(module, "new"): x = new``: the old name is the fallback."""
    assigned = up(node)
    around = up(assigned) if assigned is not None else None
    body = getattr(around, "body", None)
    if not isinstance(assigned, ast.Assign) or not isinstance(body, list) or assigned not in body:
        return False
    target = ast.dump(assigned.targets[0])
    return any(
        isinstance(later, ast.If) and _is_version_test(later.test)
        and any(isinstance(inner, ast.Assign) and ast.dump(inner.targets[0]) == target for inner in later.body)
        for later in body[body.index(assigned) + 1 :]
    )


def tests_versions(tree: Tree) -> bool:
    """Whether the file asks anywhere which version it runs on: then a name may be guarded from afar."""
    return any(_is_version_test(node.test) for node in tree.of(ast.If, ast.IfExp, ast.Assert))  # type: ignore[attr-defined]


def only_for_types(node: ast.AST) -> bool:
    """Whether ``node`` stands under ``if TYPE_CHECKING:``."""
    return any(isinstance(parent, ast.If) and "TYPE_CHECKING" in ast.dump(parent.test) for parent in parents(node))


def _catches(kind: ast.expr | None) -> bool:
    if kind is None:
        return True
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(_last(item) in _MISSING for item in kinds)


def _suppresses(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and _last(node.func) == "suppress" and any(_catches(arg) for arg in node.args)


def _is_version_test(test: ast.AST) -> bool:
    for node in ast.walk(test):
        text = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        text = node.arg or "" if isinstance(node, ast.keyword) else text  # RunIf(min_torch="2.4")
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            continue
        if text and _VERSION.search(text) and not _DEVICE.search(text):
            return True
    return False


def _exits_before(body: list[ast.stmt], child: ast.AST) -> bool:
    for statement in body:
        if statement is child:
            return False
        if isinstance(statement, ast.If) and _is_version_test(statement.test):
            last = statement.body[-1]
            if isinstance(last, ast.Return | ast.Raise | ast.Continue):
                return True
    return False


def _last(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
