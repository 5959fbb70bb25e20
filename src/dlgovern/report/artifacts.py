"""What `dlgovern artifact` says about model files, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from dlgovern.evidence.artifacts.advice import advice
from dlgovern.evidence.artifacts.values import Artifact, Reason
from dlgovern.report.display import display, lead, whole

_SHOWN = 12  # reasons, tensors


def render_text(artifacts: Sequence[Artifact], unreadable: Sequence[tuple[str, str]], *, verbose: bool = False) -> str:
    """Each file, its verdict and why; then a summary."""
    lines: list[str] = []
    for one in artifacts:
        lines.append(f"{lead(one.path)}: {one.verdict}" + (f" ({display(one.format)}, {one.size:,} bytes)" if one.format else ""))
        reasons = one.reasons if verbose else one.reasons[:_SHOWN]
        lines += [f"  {reason.verdict}: {_reason(reason)}" for reason in reasons]
        if len(reasons) < len(one.reasons):
            lines.append(f"  and {len(one.reasons) - len(reasons)} more; --verbose shows them")
        lines += [f"  {display(key)}: {display(_short(value))}" for key, value in sorted(one.facts.items()) if value not in ("", [], {})]
        if verbose:
            lines += [f"  tensor {display(t.name)} {display(t.dtype)} {list(t.shape)}" for t in one.tensors]
        if text := advice(one):
            lines.append(f"  instead: {display(text)}")
    lines += [f"{lead(path)}: not read: {display(why)}" for path, why in unreadable]
    counts = [f"{count} {word}" for word in ("unsafe", "undecided", "clean", "not an artifact") if (count := _count(artifacts, word))]
    if unreadable:
        counts.append(f"{len(unreadable)} not read")
    lines.append(f"{len(artifacts) + len(unreadable)} file{'s' if len(artifacts) + len(unreadable) != 1 else ''}: {', '.join(counts)}")
    return "".join(f"{line}\n" for line in lines)


def render_json(artifacts: Sequence[Artifact], unreadable: Sequence[tuple[str, str]]) -> str:
    """``{"schema": "dlgovern/1", "artifacts": […], "not_judged": […]}``."""
    made = {
        "schema": "dlgovern/1",
        "artifacts": [_as_json(one) for one in artifacts],
        "not_judged": [{"path": path, "why": why} for path, why in unreadable],
    }
    return whole(json.dumps(made, indent=2, ensure_ascii=False)) + "\n"


def _as_json(one: Artifact) -> dict[str, Any]:
    facts = {key.replace(" ", "_"): value for key, value in sorted(one.facts.items())}
    if one.tensors:
        facts["tensor_list"] = [{"name": t.name, "dtype": t.dtype, "shape": list(t.shape)} for t in one.tensors]
    return {
        "path": one.path,
        "format": one.format,
        "size": one.size,
        "verdict": one.verdict,
        "reasons": [reason._asdict() for reason in one.reasons],
        "facts": facts,
        "instead": advice(one),
    }


def _reason(reason: Reason) -> str:
    place = f" ({reason.member}, byte {reason.offset:,})" if reason.member else f" (byte {reason.offset:,})" if reason.offset else ""
    return display(reason.what + place)


def _short(value: Any) -> str:
    if isinstance(value, list):
        text = ", ".join(map(str, value[:_SHOWN]))
        return f"{text}, …" if len(value) > _SHOWN else text
    if isinstance(value, dict):
        return ", ".join(f"{key}={inner}" for key, inner in list(value.items())[:_SHOWN])[:400]
    return str(value)


def _count(artifacts: Sequence[Artifact], word: str) -> int:
    return sum(one.verdict == word for one in artifacts)
