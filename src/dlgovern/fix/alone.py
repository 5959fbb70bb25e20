"""Judge one file that is not Python with other bytes than those on disk, beside the rest of its repository."""

from __future__ import annotations

from dlgovern.engine.result import FileResult
from dlgovern.evidence import registry
from dlgovern.finding import Hit
from dlgovern.judge.evidence import judge_evidence
from dlgovern.judge.repository import judge_repository
from dlgovern.policy import Policy
from dlgovern.repository.documents import Documents
from dlgovern.repository.window import Windows
from dlgovern.source.discover import discover
from dlgovern.store import Store

_REPAIRED = frozenset(("requirements", "pyproject", "setup-cfg"))  # kinds in which requirements are repaired

def judge_alone(policy: Policy, root: str, path: str, windows: Windows, data: bytes) -> list[FileResult]:
    """The results for the file: of rules that read it by itself, and of those about the repository that have a repair."""
    found = judge_evidence(policy, root, [path], windows, texts={path: data})
    rules = tuple(rule for rule in policy.rules if rule.fix and rule.shape == "repository")
    kind = registry.kind_of(path, root)
    if not rules or kind not in _REPAIRED:
        return found
    paths = {path, *discover(root, [root]).files}
    documents = Documents(root, Store(""))
    documents.keep(path, kind, registry.read_file(root, path, kind, data).document)
    hits: list[Hit] = []
    for result in judge_repository(policy._replace(rules=rules), root, sorted(paths), windows, documents=documents):
        if result.failed:
            return [*found, result]
        hits += result.hits if result.path == path else ()
    return [*found, FileResult(path, hits=tuple(hits))]
