"""See model files that a company does not ship as they are: format, opset, metadata, precision, operators."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.evidence.artifacts.allowed import newest
from dlgovern.evidence.artifacts.document import Here, facts
from dlgovern.evidence.artifacts.values import Artifact
from dlgovern.finding import Hit
from dlgovern.policy import Rule
from dlgovern.repository.window import Windows

PARAMETERS = {
    "formats": Parameter("strings", "formats that may be there: safetensors, onnx, pt2, torch-zip, gguf, npy, …", default=[]),
    "opset": Parameter("integer", "the lowest opset of an ONNX model", default=0),
    "metadata": Parameter("strings", "keys that the metadata of safetensors and ONNX files must have", default=[]),
    "dtypes": Parameter("strings", "types that tensors may have: float32, bfloat16, int64, Q4_K, …", default=[]),
    "operators": Parameter("strings", "operators beyond the standard ones that may be used, * as in a shell", default=[]),
}
KINDS = frozenset(("artifact",))
"""Kinds of evidence that are read."""

GUARDS = ("not-here",)
"""What the detector is silent under; examples of its rules must show it."""

_SAME = {
    "f64": "float64", "f32": "float32", "f16": "float16", "bf16": "bfloat16", "i64": "int64", "i32": "int32",
    "i16": "int16", "i8": "int8", "u8": "uint8", "u16": "uint16", "u32": "uint32", "u64": "uint64",
    "<f4": "float32", "<f8": "float64", "<f2": "float16", "<i8": "int64", "<i4": "int32", "|u1": "uint8", "|i1": "int8", "|b1": "bool",
    "f8_e4m3": "float8_e4m3fn", "f8_e5m2": "float8_e5m2",
}


def judge(rules: list[Rule], here: Here, _tables: dict[str, Any], _windows: Windows) -> Iterator[Hit]:
    """The hits of these rules on one file, all at its first line."""
    for rule in rules:
        found = facts(here, newest([]))
        absent = found.format in ("", "unknown", "git-lfs pointer") and "not-here" not in rule.parameters.get("without_guards", ())
        for name, check in _CHECKS.items():
            said = rule.parameters.get(name)
            if said and not absent and (what := check(found, said)):
                yield Hit(rule.id, 1, 1, 1, 1, slots={"format": found.format, "what": what, "wanted": _listed(said)})


def _formats(found: Artifact, said: list[str]) -> str:
    return "" if found.format in said else f"is {found.format or 'of no known format'}"


def _opset(found: Artifact, least: int) -> str:
    opsets = found.facts.get("opset")
    version = opsets.get("ai.onnx", 0) if found.format == "onnx" and isinstance(opsets, dict) else least
    return f"is of opset {version}" if version < least else ""


def _metadata(found: Artifact, keys: list[str]) -> str:
    if found.format not in ("safetensors", "onnx"):
        return ""
    missing = sorted(set(keys) - set(found.facts.get("metadata", {})))
    return f"has no {', '.join(missing)} in its metadata" if missing else ""


def _dtypes(found: Artifact, said: list[str]) -> str:
    known = {one.lower() for one in said}
    used = {_SAME.get(one.dtype.lower(), one.dtype.lower()) for one in found.tensors if one.dtype}
    wrong = sorted(used - known)
    return f"holds {', '.join(wrong)}" if wrong else ""


def _operators(found: Artifact, said: list[str]) -> str:
    used = found.facts.get("custom operators", [])
    wrong = [one for one in used if not any(fnmatch.fnmatchcase(one, pattern) for pattern in said)]
    return f"uses {', '.join(wrong[:5])}" if wrong else ""


_CHECKS: dict[str, Callable[[Artifact, Any], str]] = {
    "formats": _formats, "opset": _opset, "metadata": _metadata, "dtypes": _dtypes, "operators": _operators,
}


def _listed(said: Any) -> str:
    return ", ".join(said) if isinstance(said, list) else str(said)
