"""Judge one file that is not Python with other bytes than those on disk, beside the rest of its repository."""

from __future__ import annotations

from dlgovern.edits.documents import ELSEWHERE
from dlgovern.engine.result import FileResult
from dlgovern.evidence import registry
from dlgovern.finding import Hit
from dlgovern.judge.evidence import judge_evidence
from dlgovern.judge.repository import judge_repository
from dlgovern.policy import Policy, Rule
from dlgovern.repository.documents import Documents
from dlgovern.repository.window import Windows
from dlgovern.source.discover import discover
from dlgovern.store import Store

_REPAIRED = frozenset(("requirements", "pyproject", "setup-cfg"))  # kinds in which requirements are repaired

def judge_alone(policy: Policy, root: str, path: str, windows: Windows, data: bytes) -> list[FileResult]:
    """The results for the file: of rules that read it by itself, and of those about the repository that have a repair in it."""
    found = judge_evidence(policy, root, [path], windows, texts={path: data})
    rules = tuple(rule for rule in policy.rules if rule.fix and rule.shape == "repository" and not repairs_elsewhere(rule))
    if not rules or registry.kind_of(path, root) not in _REPAIRED:
        return found
    hits: list[Hit] = []
    for result in judge_around(policy._replace(rules=rules), root, path, windows, data):
        if result.failed:
            return [*found, result]
        hits += result.hits if result.path == path else ()
    return [*found, FileResult(path, hits=tuple(hits))]


def judge_around(
    policy: Policy, root: str, path: str, windows: Windows, data: bytes, documents: Documents | None = None
) -> list[FileResult]:
    """The results of rules about the repository, for all its files; ``documents`` has what was read of them before."""
    documents = documents or Documents(root, Store(""))
    kind = registry.kind_of(path, root) or ""
    documents.keep(path, kind, registry.read_file(root, path, kind, data).document)
    return judge_repository(policy, root, sorted({path, *discover(root, [root]).files}), windows, documents=documents)


def repairs_elsewhere(rule: Rule) -> bool:
    """Whether the repairs of a rule lie in another file than its findings."""
    return rule.fix.get("action") in ELSEWHERE
