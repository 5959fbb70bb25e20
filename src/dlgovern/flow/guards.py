"""Whether code is written for several versions: fallbacks and version tests around a node."""

from __future__ import annotations

import ast
import re

from dlgovern.source.tree import Tree, parents, up

_MISSING = frozenset({"ImportError", "ModuleNotFoundError", "AttributeError", "Exception", "BaseException"})
_VERSION = re.compile(r"version|hasattr|_available|find_spec|TORCH_|torch_(?:ge|gt|lt|le|ver)|has_[a-z_]+|is_torch_|min_torch", re.I)

_DEVICE = re.compile(r"^is_available$|(?:cuda|npu|mlu|mps|xpu|musa|tpu|hpu|gpu|nccl|gloo|distributed|bf16)_available$", re.I)


def has_fallback(node: ast.AST, successor: str = "") -> bool:
    """Whether a missing name is caught around ``node``: ``try: … except ImportError``.

    The handlers themselves count too: they hold the other version's spelling. Of a name that is still there, which has a
    ``successor``, the body counts only where a handler goes on to the module of that, or the name is only asked for.
    """
    child = node
    asked = False
    for parent in parents(node):
        if isinstance(parent, ast.Try) and not any(child is item for item in (*parent.orelse, *parent.finalbody)):
            aside = not successor or asked or child in parent.handlers
            other = any(_catches(one.type) and (aside or _names(one, successor)) for one in parent.handlers)
            if other and not _is_in_both(node, parent):  # else it is tried again in another way, not by another name
                return True
        asked = asked or (isinstance(parent, ast.If) and child is parent.test)
        if isinstance(parent, ast.With | ast.AsyncWith) and any(_suppresses(item.context_expr) for item in parent.items):
            return True
        child = parent
    return False


def _is_in_both(node: ast.AST, block: ast.Try) -> bool:
    """Whether what is tried and what is done when it fails name the same thing. A call may differ in what it is given."""
    if not isinstance(node, ast.Attribute):
        return False
    said = ast.dump(node)
    return all(
        any(isinstance(inner, ast.Attribute) and ast.dump(inner) == said for one in part for inner in ast.walk(one))
        for part in (block.body, block.handlers)
    )


def asks_version(node: ast.AST, *, newest: bool = False) -> bool:
    """Whether ``node`` stands under a test of a version or of a name's existence, or after such an early exit.

    ``newest``: a test that the newest version is sure to pass on the way to ``node`` does not count.
    """
    child = node
    for parent in parents(node):
        if isinstance(parent, ast.If | ast.IfExp) and child is not parent.test and _is_version_test(parent.test):
            then = child is parent.body if isinstance(parent, ast.IfExp) else child in parent.body
            if not newest or _at_newest(parent.test) is not then:
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


def _at_newest(test: ast.expr) -> bool | None:
    """What a comparison of a version with a fixed one gives for the newest version; None where that is not sure."""
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return None
    left, operator, right = test.left, test.ops[0], test.comparators[0]
    if _is_fixed(left):
        left, right, operator = right, left, _TURNED.get(type(operator), type(operator))()
    words = {word for node in ast.walk(left) for word in (getattr(node, "id", ""), getattr(node, "attr", "")) if word}
    if not _is_fixed(right) or not any("version" in word.lower() or word.endswith("MAJOR") for word in words):
        return None
    if isinstance(operator, ast.Gt | ast.GtE | ast.NotEq):
        return True
    return False if isinstance(operator, ast.Lt | ast.LtE | ast.Eq) else None


_TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE}


_MAKES = re.compile(r"version|parse|^[VLS]$", re.I)


def _is_fixed(node: ast.expr) -> bool:
    """Whether this is a version as written: ``"1.6"``, ``(1, 6)``, ``1``, ``Version("1.6")``."""
    if isinstance(node, ast.Call):
        return len(node.args) == 1 and _MAKES.search(_last(node.func)) is not None and _is_fixed(node.args[0])
    return isinstance(node, ast.Constant | ast.Tuple | ast.List) and not any(isinstance(x, ast.Name) for x in ast.walk(node))


def _names(handler: ast.excepthandler, successor: str) -> bool:
    return successor.partition("(")[0].rpartition(".")[0] in ast.unparse(handler)


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
