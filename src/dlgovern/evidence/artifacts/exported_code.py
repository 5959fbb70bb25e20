"""The texts of an exported program that `torch.export` evaluates as Python: sizes, guards, and the structure of its arguments.

Sizes go through `sympy.sympify`, which is `eval`; guards are put into a function by `exec` when the program's module is made;
a `defaultdict` or an enumeration among the arguments names a module to import. What torch itself writes there is arithmetic.
"""

from __future__ import annotations

import ast
import json
import re
from typing import Any

from dlgovern.evidence.artifacts.values import Findings

_LONGEST = 20_000
_PARTS = 2_000_000
_NESTED = 6
_POWER = 64

_FUNCTIONS = frozenset(
    "FloorDiv ModularIndexing Where PythonMod Mod CleanDiv CeilToInt FloorToInt CeilDiv LShift RShift PowByNatural FloatPow FloatTrueDiv"
    " IntTrueDiv IsNonOverlappingAndDenseIndicator TruncToFloat TruncToInt RoundToInt RoundDecimal ToFloat Identity Max Min Piecewise"
    " ExprCondPair Eq Ne Ge Gt Le Lt And Or Not Abs abs max min floor ceiling sqrt log exp sign int float bool round"
    " Add Mul Pow Integer Rational GreaterThan StrictGreaterThan LessThan StrictLessThan Equality Unequality Tuple".split()
)
_OPAQUE = re.compile(r"(?:OpaqueUnaryFn|BitwiseFn)_[a-z0-9_]+\Z")
_SYMBOL = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*\Z")
_OF_TENSORS = frozenset(("size", "stride", "storage_offset"))
_ARITHMETIC = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.Constant, ast.Name, ast.Call,
    ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context,
)
_FACTORIES = frozenset(("list", "dict", "set", "int", "float", "str", "tuple", "bool"))


def judge(program: Any, findings: Findings, place: str) -> None:
    """Say what a serialized program would evaluate beyond arithmetic."""
    todo: list[tuple[str, Any]] = [("", program)]
    seen = 0
    while todo:
        key, value = todo.pop()
        seen += 1
        if seen > _PARTS:
            findings.undecided("has a program too large to be looked at", place)
            return
        if isinstance(value, dict):
            todo += value.items()
            if key == "range_constraints":
                todo += (("expr_str", name) for name in value)
        elif isinstance(value, list):
            todo += ((key, one) for one in value)
        elif isinstance(value, str) and key == "expr_str":
            _expression(value, findings, place, "a size", tensors=False)
        elif isinstance(value, str) and key == "guards_code":
            _expression(value, findings, place, "a guard", tensors=True)
        elif isinstance(value, str) and key in ("in_spec", "out_spec"):
            _structure(value, findings, place, 0)


def _expression(text: str, findings: Findings, place: str, what: str, *, tensors: bool) -> None:
    tree = None
    if len(text) <= _LONGEST:
        try:
            tree = _without_symbols(ast.parse(text.strip(), mode="eval"))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            pass
    if tree is None:
        findings.undecided(f"has {what} that is not understood", place)
        return
    for node in ast.walk(tree):
        if not _harmless(node, tensors=tensors):
            findings.unsafe(f"has {what} that is Python code, which torch.export evaluates: {text[:80]}", place, name=text[:80])
            return
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and not _small(node.right):
            findings.undecided(f"has {what} that may take for ever", place)


class _Named(ast.NodeTransformer):
    """Symbol('s0', integer=True) is s0, and Float('0.5', precision=53) is 0.5."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """See the class."""
        first = node.args[0].value if len(node.args) == 1 and isinstance(node.args[0], ast.Constant) else None
        plain = all(one.arg and isinstance(one.value, ast.Constant) and isinstance(one.value.value, (bool, int)) for one in node.keywords)
        if isinstance(node.func, ast.Name) and isinstance(first, str) and plain:
            if node.func.id == "Symbol" and _SYMBOL.match(first):
                return ast.Name(first, ast.Load())
            if node.func.id == "Float" and _NUMBER.match(first):
                return ast.Constant(0.5)
        return self.generic_visit(node)


_NUMBER = re.compile(r"-?[0-9.]{1,400}(?:e[-+]?[0-9]{1,3})?\Z")


def _without_symbols(tree: ast.Expression) -> ast.AST:
    made: ast.AST = _Named().visit(tree)
    return made


def _harmless(node: ast.AST, *, tensors: bool) -> bool:
    if isinstance(node, ast.Call):
        called = node.func
        if node.keywords or any(isinstance(one, ast.Starred) for one in node.args):
            return False
        if isinstance(called, ast.Name):
            return called.id in _FUNCTIONS or _OPAQUE.match(called.id) is not None
        return tensors and isinstance(called, ast.Attribute) and _harmless(called, tensors=True)
    if isinstance(node, ast.Name):
        return _SYMBOL.match(node.id) is not None
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (bool, int, float)) or (tensors and isinstance(node.value, str))
    if isinstance(node, ast.Attribute):
        module = node.value.id if isinstance(node.value, ast.Name) else ""
        of_numbers = (module == "math" and _SYMBOL.match(node.attr)) or (module == "torch" and node.attr.startswith("sym_"))
        return tensors and bool(of_numbers or (node.attr in _OF_TENSORS and _is_argument(node.value)))
    if isinstance(node, ast.Subscript):
        return tensors and isinstance(node.slice, (ast.Constant, ast.UnaryOp))
    return isinstance(node, _ARITHMETIC)


def _is_argument(node: ast.expr) -> bool:
    """Whether this is an entry of the arguments: L['x'][0]."""
    while isinstance(node, ast.Subscript):
        node = node.value
    return isinstance(node, ast.Name) and node.id in ("L", "args")


def _small(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    return isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and node.value <= _POWER


def _structure(text: str, findings: Findings, place: str, depth: int) -> None:
    """The structure of arguments: JSON, and JSON in its texts."""
    if depth > _NESTED:
        findings.undecided("has arguments of a structure that is not understood", place)
        return
    try:
        todo = [json.loads(text)]
    except (ValueError, RecursionError):
        if not depth:
            findings.undecided("has arguments of a structure that is not understood", place)
        return
    while todo:
        value = todo.pop()
        if isinstance(value, str) and value[:1] in "[{\"" and value:
            _structure(value, findings, place, depth + 1)
        elif isinstance(value, list):
            todo += value
        elif isinstance(value, dict):
            todo += value.values()
            if "__enum__" in value:
                _import(str(value.get("fqn")), findings, place)
            if "default_factory_module" in value:
                module, name = value["default_factory_module"], value.get("default_factory_name")
                if module != "builtins" or name not in _FACTORIES:
                    _import(f"{module}.{name}", findings, place)


def _import(name: str, findings: Findings, place: str) -> None:
    findings.unsafe(f"would import {name[:80]} for the structure of its arguments", place, name=name[:80])
