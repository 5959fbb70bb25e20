"""Reads the torch API tables and asks an installed torch whether their rows are true.

Run as a program it prints what torch 2.13 contradicts as JSON: a list of [group, name, problem].
"""

import contextlib
import importlib
import inspect
import io
import json
import sys
import types
import warnings
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

ROOT = Path(__file__).resolve().parent.parent
NAMES = ROOT / "rules" / "api" / "torch.tsv"
ARGUMENTS = ROOT / "rules" / "api" / "torch-arguments.tsv"
CURATED_NAMES = ROOT / "scripts" / "torch_api_curated.tsv"
CURATED_ARGUMENTS = ROOT / "scripts" / "torch_arguments_curated.tsv"
PROVEN_ON = (2, 13)
MISSING = object()
Row = TypeVar("Row", "Name", "Argument", "CuratedName", "CuratedArgument")


class Name(NamedTuple):
    """One row of rules/api/torch.tsv; the head of that file explains the columns."""

    name: str
    added: str
    deprecated: str
    removed: str
    replacement: str
    fix: str
    since: str
    group: str
    evidence: str
    note: str


class Argument(NamedTuple):
    """One row of rules/api/torch-arguments.tsv; the head of that file explains the columns."""

    name: str
    argument: str
    added: str
    deprecated: str
    removed: str
    replacement: str
    fix: str
    evidence: str
    note: str


class CuratedName(NamedTuple):
    """One row of the hand-kept list of names; `added` is `-` for older than 1.13, empty for what the raw list says."""

    name: str
    group: str
    added: str
    deprecated: str
    removed: str
    replacement: str
    fix: str
    since: str
    proof: str
    note: str


class CuratedArgument(NamedTuple):
    """One row of the hand-kept list of arguments."""

    name: str
    argument: str
    added: str
    deprecated: str
    removed: str
    replacement: str
    fix: str
    proof: str
    note: str


def version(text: str) -> tuple[int, ...]:
    """`2.6` as numbers that compare; an empty text or `-` is older than everything."""
    return tuple(int(part) for part in text.split(".")) if text not in ("", "-") else ()


def read(path: Path, kind: type[Row]) -> list[Row]:
    """The rows of a table; raises ValueError naming the line that has too few or too many columns."""
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        cells = line.split("\t")
        if len(cells) != len(kind._fields):
            raise ValueError(f"{path.name}:{number}: {len(cells)} columns, not {len(kind._fields)}")
        rows.append(kind(*cells))
    return rows


def private(name: str) -> bool:
    """Whether any part of a dotted name starts with an underscore."""
    return any(part.startswith("_") for part in name.split("."))


def resolve(name: str) -> Any:
    """What a dotted name leads to, else MISSING.

    Both ways of Python count: attribute after attribute, and `from MODULE import NAME`, which finds a module that a
    function of the same name hides (torch.autograd.gradcheck, torch.export.unflatten).
    """
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        module = imported(".".join(parts[:end]))
        if module is MISSING:
            break
        found = walk(module, parts[end:])
        if found is not MISSING:
            return found
    return MISSING


def imported(path: str) -> Any:
    """A module by its path, else MISSING."""
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            return importlib.import_module(path)
    except (Exception, SystemExit):  # noqa: BLE001 - importing a module runs whatever it contains
        return MISSING


def walk(found: Any, parts: list[str]) -> Any:
    """Attribute after attribute, else MISSING."""
    for part in parts:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = getattr(found, part)
        except Exception:  # noqa: BLE001 - torch raises AttributeError, RuntimeError and ImportError from __getattr__
            return MISSING
    return found


def parameters(name: str) -> list[str] | None:
    """Parameter names of a callable without self, `**` for free keywords; None where torch does not tell."""
    found = resolve(name)
    target = found.__init__ if inspect.isclass(found) else found
    try:
        listed = list(inspect.signature(target).parameters.values())
    except (TypeError, ValueError):
        return None
    if inspect.isclass(found):
        listed = listed[1:]
    names = [p.name for p in listed if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return names + ["**"] * any(p.kind is p.VAR_KEYWORD for p in listed)


def evaluate(expression: str) -> tuple[Exception | None, list[warnings.WarningMessage]]:
    """What a Python expression raises and warns, with torch, functorch and io in sight."""
    import functorch
    import torch

    scope = {"torch": torch, "functorch": functorch, "io": io}
    with warnings.catch_warnings(record=True) as seen, contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("always")
        torch.set_warn_always(True)
        try:
            eval(expression, scope)  # noqa: S307 - the expression comes from our own table
        except Exception as error:  # noqa: BLE001 - the error is the answer
            return error, seen
    return None, seen


def prove_name(row: CuratedName) -> str:
    """Why torch 2.13 contradicts a curated name, or an empty text."""
    kind, _, expression = row.proof.partition(": ")
    if kind == "import":
        for loaded in [m for m in sys.modules if m == row.name or m.startswith(f"{row.name}.")]:
            del sys.modules[loaded]
        error, seen = evaluate(f"__import__({row.name!r})")
        return "" if seen and error is None else f"the import does not warn ({error})"
    found = resolve(row.name)
    if kind == "gone":
        return "" if found is MISSING else "the name still resolves"
    if kind == "later" and version(row.added) > PROVEN_ON:
        return "" if found is MISSING else "the name resolves already"
    if found is MISSING:
        return "the name does not resolve"
    if kind == "raise":
        error, _ = evaluate(expression)
        return "" if isinstance(error, RuntimeError) else f"the call gives {error!r}"
    if kind == "warn":
        error, seen = evaluate(expression)
        return "" if seen else f"nothing warns ({error!r})"
    if kind == "decorated":
        marked = [hasattr(part, "__deprecated__") for part in (found, getattr(found, "__init__", None))]
        return "" if any(marked) else "the object carries no deprecation"
    if kind == "source":
        source = inspect.getsource(found)
        return "" if "warn" in source or "_deprecated(" in source else "the source does not warn"
    if kind == "same":
        return "" if found is resolve(row.replacement) else "the replacement is another object"
    return "" if kind in ("documented", "exists", "later") else f"no such proof as {kind!r}"


def prove_argument(row: CuratedArgument) -> str:
    """Why torch 2.13 contradicts a curated argument, or an empty text."""
    kind, _, expression = row.proof.partition(": ")
    known = parameters(row.name)
    if kind == "accepts":
        return "" if known and row.argument in known else f"the signature has {known}"
    if kind == "refuses":
        return "" if known and row.argument not in known and "**" not in known else f"the signature has {known}"
    if kind == "source":
        source = inspect.getsource(resolve(row.name))
        return "" if known and row.argument in known and "deprecat" in source else "the source does not warn"
    error, seen = evaluate(expression)
    if kind == "raise":
        return "" if error is not None else "the call does not raise"
    if kind == "warn":
        about = [w for w in seen if row.argument in str(w.message) or "deprecat" in str(w.message)]
        return "" if about else f"nothing warns ({error!r})"
    return f"no such proof as {kind!r}"


def problem_of_name(row: Name) -> str:
    """Why torch 2.13 contradicts a row of the table by its states alone, or an empty text."""
    found = resolve(row.name)
    here = version(row.added) <= PROVEN_ON
    gone = row.removed != "" and version(row.removed) <= PROVEN_ON
    if gone and row.evidence != "raises":
        return "" if found is MISSING else "marked as gone, still resolves"
    if not here:
        return "" if found is MISSING else "marked as newer, resolves"
    if found is MISSING:
        return "does not resolve"
    if row.fix == "rename" and version(row.since) <= PROVEN_ON:
        return problem_of_rename(found, row)
    return ""


def problem_of_rename(found: Any, row: Name) -> str:
    """Why a rename would not lead to the same names, or an empty text."""
    there = resolve(row.replacement)
    if there is MISSING:
        return f"{row.replacement} does not resolve"
    if not isinstance(found, types.ModuleType):
        return ""
    lost = [
        leaf
        for leaf, value in vars(found).items()
        if not leaf.startswith("_")
        and getattr(value, "__module__", "").startswith("torch")
        and resolve(f"{row.replacement}.{leaf}") is MISSING
    ]
    return f"{row.replacement} lacks {sorted(lost)}" if lost else ""


def problem_of_argument(row: Argument) -> str:
    """Why torch 2.13 contradicts a row of the table by the signature, or an empty text."""
    if row.evidence not in ("signature", "later"):
        return ""
    known = parameters(row.name)
    here = version(row.added) <= PROVEN_ON and not (row.removed and version(row.removed) <= PROVEN_ON)
    if known is None:
        return "torch does not tell the signature"
    return "" if here == (row.argument in known) else f"the signature has {known}"


def contradictions() -> list[tuple[str, str, str]]:
    """Group, name and problem of every row that torch 2.13 contradicts."""
    asked = [(row.group, row.name, problem_of_name(row)) for row in read(NAMES, Name)]
    asked += [(row.group, row.name, prove_name(row)) for row in read(CURATED_NAMES, CuratedName)]
    built = [(row, problem_of_argument(row)) for row in read(ARGUMENTS, Argument)]
    curated = [(row, prove_argument(row)) for row in read(CURATED_ARGUMENTS, CuratedArgument)]
    asked += [("arguments", f"{row.name}({row.argument}=)", problem) for row, problem in built + curated]
    return [(group, name, problem) for group, name, problem in asked if problem]


if __name__ == "__main__":
    print(json.dumps(contradictions()))
