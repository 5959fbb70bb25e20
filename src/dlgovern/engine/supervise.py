"""Many files, several workers: long-lived processes over pipes, watched, replaced when they die.

A stock process pool loses the whole run to one crash. Here a worker that dies or runs too long costs its one
file, which is then named as not judged.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

from dlgovern import policy
from dlgovern.engine import result as results
from dlgovern.engine.result import FileResult

SECONDS_A_FILE = 30.0
"""Longest processor time for one file; the budget of the slowest sane file is a tenth of it."""

_PATIENCE = 4
"""Times the limit that may pass on the clock: other programs want the processor too."""

_BATCH_BYTES = 400_000  # sent ahead to one worker, so that pipes cost little
_BATCH_FILES = 48


class Worker:
    """One child process and the files it has been sent and not yet answered, oldest first."""

    def __init__(self, setup: bytes) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-X", "utf8", "-m", "dlgovern.engine.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={key: value for key, value in os.environ.items() if not key.startswith("PYTHON")},
            cwd=os.path.dirname(sys.executable),
        )
        self.pending: deque[str] = deque()
        self._start()
        self.rest = b""
        self._receiver = results.Receiver()
        self._send(setup)

    @property
    def out(self) -> IO[bytes]:
        """The pipe its answers come from."""
        assert self.process.stdout is not None
        return self.process.stdout

    def give(self, paths: list[str]) -> bool:
        """Send files; False when the worker is gone."""
        if not self.pending:
            self._start()
        self.pending.extend(paths)
        return self._send(json.dumps(paths).encode() + b"\n")

    def answers(self) -> list[FileResult] | None:
        """What it has answered since the last time; None when it is gone."""
        try:
            data = os.read(self.out.fileno(), 1 << 20)
        except OSError:
            return None
        if not data:
            return None
        *lines, self.rest = (self.rest + data).split(b"\n")
        self._start()
        return [self._receiver.unpack(json.loads(line)) for line in lines]

    def is_stuck(self, seconds: float) -> bool:
        """Whether it has worked on its file for longer than this, or stood still for several times as long."""
        passed = time.monotonic() - self._since
        if passed <= seconds or not self.pending:
            return False
        used = _used(self.process.pid)
        return used is None or self._used is None or used - self._used > seconds or passed > _PATIENCE * seconds

    def _start(self) -> None:
        self._since, self._used = time.monotonic(), _used(self.process.pid)

    def stop(self) -> None:
        """End the process, whatever it does."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue

    def _send(self, data: bytes) -> bool:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except OSError:
            return False
        return True


def _used(pid: int) -> float | None:
    """Processor time of a process in seconds, None where the system does not tell it so plainly."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return None


def supervise(
    job: Any, paths: list[str], count: int, *, seconds: float = SECONDS_A_FILE, meanwhile: Callable[[], None] | None = None
) -> list[FileResult]:
    """The results for ``paths``, in any order; a file that killed or stalled its worker is not judged.

    ``meanwhile`` runs while the workers do; what it raises ends them.
    """
    if meanwhile is None:
        return _watch(job, paths, count, seconds, threading.Event())
    ended = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(_watch, job, paths, count, seconds, ended)
        left = True
        try:
            meanwhile()
            left = False
        finally:
            if left:
                ended.set()
        return watching.result()


def _watch(job: Any, paths: list[str], count: int, seconds: float, ended: threading.Event) -> list[FileResult]:
    setup = _setup(job)
    waiting = deque(_batches(job.root, paths, count))
    done: list[FileResult] = []
    selector = selectors.DefaultSelector()
    workers: list[Worker] = []
    try:
        for _ in range(min(count, len(waiting))):
            _hire(setup, waiting, workers, selector)
        while workers and not ended.is_set():
            for key, _events in selector.select(timeout=1.0):
                _listen(key.data, done, waiting, workers, selector, setup)
            for worker in [one for one in workers if one.is_stuck(seconds)]:
                _replace(worker, f"took longer than {seconds:.0f} s", done, waiting, workers, selector, setup)
    finally:
        for worker in workers:
            worker.stop()
        selector.close()
    return done


def _setup(job: Any) -> bytes:
    values = {
        "policy": policy.dump(job.policy._replace(words=b"{}")).decode(),  # workers say nothing
        "root": job.root,
        "windows": job.windows.to_json(),
        "prefilter": job.prefilter,
        "store": job.triggers,
        "lessons": job.lessons,
        "path": [entry for entry in sys.path if entry and not _is_inside(entry, job.root)],
    }
    return json.dumps(values).encode() + b"\n"


def _is_inside(folder: str, root: str) -> bool:
    real, inside = os.path.realpath(folder), os.path.realpath(root)
    return real == inside or real.startswith(os.path.join(inside, ""))


def _batches(root: str, paths: list[str], count: int) -> list[list[str]]:
    """Neighbours together (they share imports), the last ones small so that no worker ends up alone."""
    batches: list[list[str]] = [[]]
    size = 0
    most = max(1, min(_BATCH_FILES, len(paths) // (count * 4)))
    for path in paths:
        try:
            size += os.lstat(os.path.join(root, path)).st_size
        except OSError:
            pass
        if batches[-1] and (size > _BATCH_BYTES or len(batches[-1]) >= most):
            batches.append([])
            size = 0
        batches[-1].append(path)
    return batches


def _hire(setup: bytes, waiting: deque[list[str]], workers: list[Worker], selector: selectors.BaseSelector) -> None:
    if not waiting:
        return
    worker = Worker(setup)
    workers.append(worker)
    selector.register(worker.out, selectors.EVENT_READ, worker)
    worker.give(waiting.popleft())


def _listen(
    worker: Worker,
    done: list[FileResult],
    waiting: deque[list[str]],
    workers: list[Worker],
    selector: selectors.BaseSelector,
    setup: bytes,
) -> None:
    answers = worker.answers()
    if answers is None:
        _replace(worker, "made the judging process die", done, waiting, workers, selector, setup)
        return
    for answer in answers:
        done.append(answer)
        worker.pending.popleft()
    if len(worker.pending) <= 1 and waiting:
        worker.give(waiting.popleft())
    elif not worker.pending:
        selector.unregister(worker.out)
        workers.remove(worker)
        worker.stop()


def _replace(
    worker: Worker,
    why: str,
    done: list[FileResult],
    waiting: deque[list[str]],
    workers: list[Worker],
    selector: selectors.BaseSelector,
    setup: bytes,
) -> None:
    """Name the file the worker was on, give the rest back, and start another one."""
    selector.unregister(worker.out)
    workers.remove(worker)
    worker.stop()
    pending = list(worker.pending)
    if pending:
        done.append(FileResult(pending[0], not_judged=why))
        if pending[1:]:
            waiting.appendleft(pending[1:])
    _hire(setup, waiting, workers, selector)
