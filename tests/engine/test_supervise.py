"""Many files under workers: one bad file costs itself, nothing else."""

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from dlgovern.engine.result import FileResult, Receiver, Sender
from dlgovern.engine.run import Job, judge_files
from dlgovern.engine.supervise import Worker, supervise
from dlgovern.policy import Policy, Rule
from dlgovern.repository.window import Windows
from dlgovern.store import Store

BAD = "import torch\ntorch.load(p)\n"


def job(root: Path, jobs: int = 2, detector: str = "call") -> Job:
    """One rule that reports torch.load."""
    rule = Rule(
        "DLG999", "loads", "", "{call}", "", "", "", "high", (), (), {}, detector, {"names": ["torch.load"]}, (), {},
        "python", "0.1", "", {"": "error"}, [{"name": "torch.load"}],
    )
    policy = Policy("t", "1", "f", "all", (rule,), (), {}, (), {}, True, {})
    return Job(policy, str(root), Windows({}, {}), jobs)


def many(root: Path, count: int) -> list[str]:
    """Files of which every third has a finding."""
    names = [f"f{number:03}.py" for number in range(count)]
    for number, name in enumerate(names):
        (root / name).write_text(BAD if number % 3 == 0 else "x = 1\n")
    return names


def test_any_number_of_workers_gives_the_same_results(tmp_path: Path) -> None:
    """Order and content do not depend on timing."""
    names = many(tmp_path, 60)
    results = [
        [r._replace(spent=0.0) for r in judge_files(job(tmp_path, jobs), names, Store(""))] for jobs in (1, 2, 4)
    ]
    assert results[0] == results[1] == results[2]
    assert sum(len(result.hits) for result in results[0]) == 20


def test_a_killed_worker_costs_one_file(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """The file it was on is named; everything else is judged."""
    names = many(tmp_path, 60)
    started: list[Worker] = []
    original = Worker.__init__

    def noting(self: Worker, setup: bytes) -> None:
        original(self, setup)
        started.append(self)
        if len(started) == 1:
            os.kill(self.process.pid, signal.SIGKILL)

    monkeypatch.setattr(Worker, "__init__", noting)
    results = supervise(job(tmp_path), names, 2)
    assert sorted(names) == sorted(result.path for result in results)
    lost = [result for result in results if result.not_judged]
    assert [result.not_judged for result in lost] == ["made the judging process die"]


def test_a_file_that_takes_too_long_is_given_up(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """A stopped worker is replaced; its file is named with the reason."""
    names = many(tmp_path, 40)
    original = Worker.give
    stopped: list[int] = []

    def stopping(self: Worker, paths: list[str]) -> bool:
        done = original(self, paths)
        if not stopped:
            stopped.append(self.process.pid)
            os.kill(self.process.pid, signal.SIGSTOP)
        return done

    monkeypatch.setattr(Worker, "give", stopping)
    results = supervise(job(tmp_path), names, 2, seconds=1.0)
    assert sorted(names) == sorted(result.path for result in results)
    assert [result.not_judged for result in results if result.not_judged] == ["took longer than 1 s"]


def test_a_detector_that_raises_is_recorded_and_the_rest_goes_on(tmp_path: Path) -> None:
    """Here a detector that does not exist."""
    names = many(tmp_path, 3)
    results = judge_files(job(tmp_path, 1, "no_such_detector"), names, Store(""))
    assert [len(result.failed) for result in results] == [1, 0, 0]
    assert "ModuleNotFoundError" in results[0].failed[0][1]


def test_planted_modules_are_never_imported(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """Workers start in the checked tree's company and still import their own standard library."""
    names = many(tmp_path, 60)
    for module in ("json", "pickle", "threading", "ast", "re", "hashlib", "selectors", "types", "resource", "gc"):
        (tmp_path / f"{module}.py").write_text(f"open({str(tmp_path / 'PLANTED')!r}, 'w').close()\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    results = supervise(job(tmp_path), names, 2)
    assert len(results) == 60
    assert not (tmp_path / "PLANTED").exists()


def test_the_cache_answers_only_while_file_and_reads_are_the_same(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """A change of an imported module is a change of the answer."""
    monkeypatch.delenv("CI", raising=False)
    project = tmp_path / "p"
    project.mkdir()
    (project / "compat.py").write_text("from torch import load as tload\n")
    (project / "use.py").write_text("from compat import tload\ntload(p)\n")
    store = Store(str(tmp_path / "cache"))

    def found() -> list[int]:
        return [len(result.hits) for result in judge_files(job(project, 1), ["use.py"], store)]

    first, again = found(), found()
    time.sleep(0.01)
    (project / "compat.py").write_text("def tload(p): return p\n")
    assert (first, again, found()) == ([1], [1], [0])


def test_a_broken_cache_is_a_miss(tmp_path: Path) -> None:
    """Truncated, foreign or odd entries are ignored."""
    project = tmp_path / "p"
    project.mkdir()
    names = many(project, 3)
    store = Store(str(tmp_path / "cache"))
    before = judge_files(job(project, 1), names, store)
    for path in (tmp_path / "cache").iterdir():
        for content in (b"", b"[", b"[]", b'{"f000.py": 3}', b'{"f000.py": [null, 1, [], [1, 2]]}', b"\xff\x00"):
            path.write_bytes(content)
            after = judge_files(job(project, 1), names, store)
            assert [r.hits for r in before] == [r.hits for r in after]


def test_runs_that_share_a_cache_do_not_disturb_each_other(tmp_path: Path) -> None:
    """Entries are replaced whole."""
    project = tmp_path / "p"
    project.mkdir()
    names = many(project, 12)
    store = Store(str(tmp_path / "cache"))
    counts: list[int] = []

    def run() -> None:
        for _ in range(5):
            counts.append(sum(len(r.hits) for r in judge_files(job(project, 1), names, store)))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [4] * 20




def test_what_is_done_meanwhile_is_done_and_what_it_raises_ends_the_workers(tmp_path: Path) -> None:
    """The rest of a run needs not wait, and a run that is broken off leaves no process."""
    names = many(tmp_path, 60)
    done: list[str] = []
    results = judge_files(job(tmp_path), names, Store(""), lambda: done.append("rest"))
    assert (60, ["rest"]) == (len(results), done)

    def broken() -> None:
        raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        supervise(job(tmp_path), names, 2, meanwhile=broken)
    assert before == threading.active_count()


def test_what_results_rest_on_is_told_once_and_comes_back_whole() -> None:
    """Many files rest on the same ones; the pipe and the memory of the parent hold each name once."""
    first, second = ("a.py", "1" * 64), ("b.py", "2" * 64)
    sender, receiver = Sender(), Receiver()
    sent = [FileResult("x.py", "3" * 64, reads=reads) for reads in ((first,), (), (second, first), (first, second))]
    lines = [json.dumps(sender.pack(one)) for one in sent]
    back = [receiver.unpack(json.loads(line)) for line in lines]
    assert sent == back
    assert 1 == sum(line.count("a.py") for line in lines)
    assert back[2].reads[1] is back[3].reads[0]


def test_a_file_is_given_up_for_the_time_it_takes_not_for_the_time_that_passes(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """On a busy machine a worker waits for its turn; one that stands still for four times the limit does not wait."""
    from dlgovern.engine import supervise as engine

    worker = Worker(engine._setup(job(tmp_path)))
    try:
        monkeypatch.setattr(engine, "_used", lambda _pid: 7.0)
        worker.pending.append("a.py")
        worker._start()
        for passed, stuck in ((2, False), (2, True)):
            worker._since -= passed
            assert stuck == worker.is_stuck(1.0)
        worker._start()
        worker._since -= 2
        monkeypatch.setattr(engine, "_used", lambda _pid: 8.5)
        assert worker.is_stuck(1.0)
    finally:
        worker.stop()
