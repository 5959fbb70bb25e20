"""The child process: reads what to judge from standard input, answers one JSON line a file."""

from __future__ import annotations

import json
import os
import sys

MEMORY = 2 << 30
"""Address space of a worker in bytes, where the platform can limit it."""


def main() -> None:
    """Judge until standard input ends. The first line holds the policy and the root."""
    setup = json.loads(sys.stdin.buffer.readline())
    known = set(sys.path)  # isolated; the parent's other folders, less the checked tree, hold company detectors
    sys.path += [entry for entry in setup["path"] if entry not in known]
    _limit_memory()
    from dlgovern import policy
    from dlgovern.engine import result as results
    from dlgovern.engine.collect import Collector
    from dlgovern.engine.walk import Walk
    from dlgovern.repository.window import Windows
    from dlgovern.store import Store

    with Collector() as collector:
        walk = Walk(
            policy.load(setup["policy"].encode()), setup["root"], Windows.from_json(setup["windows"]),
            prefilter=setup["prefilter"], store=Store(setup["store"]),
        )
        folder, name = setup["lessons"]
        if folder:
            from dlgovern.engine.parts import Grounds, Lessons

            walk.learn(Lessons(Grounds(Store(folder), name, setup["root"])))
        sender = results.Sender()
        out = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
        for line in sys.stdin.buffer:
            for path in json.loads(line):
                result = walk.judge(path)
                out.write(json.dumps(sender.pack(result)).encode() + b"\n")
                collector.after(parsed=result.parsed)


def _limit_memory() -> None:
    try:
        import resource  # not on Windows
    except ImportError:
        return
    _soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


if __name__ == "__main__":
    main()
