"""From the files of a repository to a report: judge, grade, suppress, count what was not judged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from dlgovern import __version__
from dlgovern.engine.result import FileResult
from dlgovern.engine.run import Job, judge_files
from dlgovern.engine.stamps import Stamps
from dlgovern.finding import Finding, NotJudged, Report, RuleNotRun
from dlgovern.judge.grade import grade
from dlgovern.judge.notebooks import relocate
from dlgovern.judge.settle import settle
from dlgovern.judge.suppress import Suppressed, suppress
from dlgovern.policy import spoken
from dlgovern.source.classify import classify
from dlgovern.store import Store

if TYPE_CHECKING:
    import datetime


def judge(
    job: Job,
    files: Sequence[str],
    problems: Iterable[tuple[str, str]],
    store: Store,
    *,
    not_run: Sequence[RuleNotRun] = (),
    whole: bool = True,
    fail_on: str = "error",
    min_confidence: str = "high",
    today: datetime.date | None = None,
    extra: Sequence[FileResult] = (),
    project: bool = False,
) -> Report:
    """The report on ``files`` (POSIX, relative to the root); ``problems`` are files that could not be taken up.

    ``extra`` brings results of files that are not on disk, such as standard input.
    ``project``: the whole repository was taken up, so what it lacks can be said.
    """
    rest: list[FileResult] = []
    stamps = Stamps(job.root)
    results = judge_files(job, files, store, lambda: rest.extend(_judge_the_rest(job, files, store, stamps, project=project)), stamps)
    results = settle(job.policy, job.root, _merged([*results, *rest, *extra]), store, stamps)
    policy, settled = job.policy, Suppressed([], 0)
    if any(result.hits or result.excuses for result in results):
        policy = spoken(policy)
        if today is None and any(_depends_on_today(result) for result in results):
            today = _today()
        settled = suppress(policy, grade(policy, results, today), results, whole=whole, project=project, today=today)
    not_judged = [NotJudged(path, why) for path, why in problems]
    not_judged += [NotJudged(result.path, result.not_judged) for result in results if result.not_judged]
    failed = sorted({RuleNotRun(rule, f"{why} on {r.path}") for r in results for rule, why in r.failed})
    return Report(
        version=__version__,
        standard={"name": job.policy.name, "version": job.policy.version, "fingerprint": job.policy.fingerprint},
        profile=job.policy.profile,
        findings=tuple(sorted(relocate(settled.findings, results), key=_order)),
        not_judged=tuple(sorted(not_judged)),
        rules_not_run=tuple(sorted(not_run)),
        failed=tuple(failed),
        files_seen=len(results) + len(list(problems)),
        files_judged=sum(not result.not_judged for result in results),
        noqa=settled.noqa,
        rules={rule.id: rule for rule in policy.rules},
        root=job.root,
        fail_on=fail_on,
        min_confidence=min_confidence,
    )


def _judge_the_rest(job: Job, files: Sequence[str], store: Store, stamps: Stamps, *, project: bool) -> list[FileResult]:
    """The results for what is not Python; a run over a few modules loads none of it."""
    if not project and all(classify(path) == "python" and not path.endswith("setup.py") for path in files):
        return []
    from dlgovern.judge.evidence import judge_evidence
    from dlgovern.repository.documents import Documents

    documents = Documents(job.root, store) if project else None
    results = judge_evidence(job.policy, job.root, files, job.windows, store, documents)
    if project:
        from dlgovern.judge.repository import judge_repository

        results += judge_repository(job.policy, job.root, files, job.windows, store, documents, stamps)
    return results


def _depends_on_today(result: FileResult) -> bool:
    return any(excuse.until for excuse in result.excuses) or any("sunset" in hit.slots for hit in result.hits)


def _today() -> datetime.date:
    import datetime

    return datetime.datetime.now(tz=datetime.UTC).date()


def _merged(results: Iterable[FileResult]) -> list[FileResult]:
    """One result a file: a setup.py is judged as Python, as a manifest and as a part of its repository."""
    found: dict[str, FileResult] = {}
    for one in results:
        known = found.get(one.path)
        found[one.path] = one if known is None else known._replace(
            hits=(*known.hits, *(hit for hit in one.hits if hit not in known.hits)),
            excuses=known.excuses or one.excuses,
            failed=(*known.failed, *one.failed),
            not_judged=known.not_judged or one.not_judged,
            parsed=known.parsed or one.parsed,
        )
    return list(found.values())


def _order(one: Finding) -> tuple[object, ...]:
    return (one.place, one.rule, one.message)
