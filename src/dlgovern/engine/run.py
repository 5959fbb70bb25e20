"""Judge many files: what the cache does not know, here or by workers, in an order that no timing can change."""


import os
from collections.abc import Callable, Iterable
from typing import NamedTuple

from dlgovern import bundled
from dlgovern.engine.cache import Cache
from dlgovern.engine.result import FileResult
from dlgovern.engine.stamps import Stamps
from dlgovern.policy import Policy
from dlgovern.repository.window import Windows
from dlgovern.source.classify import classify
from dlgovern.store import Store

_FEW = 24  # files; fewer are judged faster in this process than workers start
_SMALL = 400_000  # bytes in all, likewise


class Job(NamedTuple):
    """What to judge, and by what."""

    policy: Policy
    root: str
    windows: Windows
    jobs: int = 0  # workers; 0 means as many as there are processors
    prefilter: bool = True
    triggers: str = ""  # the folder of the store in which prefilters are kept
    lessons: tuple[str, str] = ("", "")  # the folder of the store, and the name, under which is kept what was learned of single files


def judge_files(
    job: Job, paths: Iterable[str], store: Store, meanwhile: Callable[[], None] | None = None, stamps: Stamps | None = None
) -> list[FileResult]:
    """The results for these files, sorted by path. Manifests and other evidence are not judged here.

    ``meanwhile`` is run once, while workers judge where there are any.
    """
    wanted = sorted(path for path in set(paths) if classify(path) in ("python", "notebook") or _has_python_head(job.root, path))
    cache = Cache(store, job.root, job.policy, job.windows, bundled.version(), stamps=stamps)
    known = {path: result for path in wanted if (result := cache.get(path)) is not None}
    rest = [path for path in wanted if path not in known]
    results = dict(known)
    for result in _judge(job._replace(triggers=job.triggers or store.folder), rest, cache, meanwhile):
        cache.put(result)
        results[result.path] = result._replace(looked=(), reads=(), learned=())
    cache.save()
    return [results[path] for path in wanted]


def _judge(job: Job, paths: list[str], cache: Cache, meanwhile: Callable[[], None] | None) -> Iterable[FileResult]:
    workers = job.jobs or os.cpu_count() or 1
    if workers == 1 or (len(paths) <= _FEW and _bytes(job.root, paths) <= _SMALL):
        if meanwhile is not None:
            meanwhile()
        return _judge_here(job, paths, cache) if paths else []
    from dlgovern.engine.supervise import supervise  # workers are for many files

    return supervise(job._replace(lessons=(cache.folder, cache.name)), paths, workers, meanwhile=meanwhile)


def _judge_here(job: Job, paths: list[str], cache: Cache) -> list[FileResult]:
    from dlgovern.engine.collect import Collector
    from dlgovern.engine.walk import Walk  # with all that judging needs; a run in which nothing is new needs none

    walk = Walk(job.policy, job.root, job.windows, prefilter=job.prefilter, store=Store(job.triggers))
    if cache.folder:
        walk.learn(cache.lessons)
    results: list[FileResult] = []
    with Collector() as collector:
        for path in paths:
            results.append(walk.judge(path))
            collector.after(parsed=results[-1].parsed)
    return results


def _bytes(root: str, paths: list[str]) -> int:
    total = 0
    for path in paths:
        try:
            total += os.lstat(os.path.join(root, path)).st_size
        except OSError:
            continue
    return total


def _has_python_head(root: str, path: str) -> bool:
    if "." in path.rpartition("/")[2]:
        return False
    try:
        descriptor = os.open(os.path.join(root, path), os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        try:
            return classify(path, os.read(descriptor, 100)) == "python"
        finally:
            os.close(descriptor)
    except OSError:
        return False
