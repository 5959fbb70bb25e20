"""Time ``dlgovern check`` beside ruff, TorchFix and a bare parse of the same files, all in one run."""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PARSE = """
import ast, gc, os, sys
gc.disable()
paths = sys.stdin.read().split("\\0")
def parse(some):
    for path in some:
        try:
            ast.parse(open(path, "rb").read())
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            pass
workers = int(sys.argv[1])
children = []
for number in range(workers):
    child = os.fork()
    if not child:
        parse(paths[number::workers])
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
"""
BANNED = 'lint.flake8-tidy-imports.banned-api = {' + ", ".join(
    f'"{name}" = {{ msg = "no" }}'
    for name in (
        "torch.load", "torch.jit.script", "torch.jit.trace", "torch.nn.DataParallel", "torch.symeig",
        "torch.cuda.amp.autocast", "torch.hub.load", "pickle.load", "torch.onnx.dynamo_export", "apex",
    )
) + "}"

DISTRIBUTED = re.compile(rb"torch\.distributed|init_process_group|deepspeed\.comm|all_reduce|get_rank\(")
START = "import sys; from dlgovern.cli.main import main; sys.exit(main())"
OURS = [sys.executable, "-P", "-c", START, "check", "--exit-zero", "-q"]
"""What the installed script does."""


def main() -> None:
    """Print one table a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--torchfix", action="store_true", help="also run torchfix, which takes minutes")
    said = parser.parse_args()
    for folder in said.folders:
        measure(os.path.abspath(folder), said.runs, torchfix=said.torchfix)


def measure(folder: str, runs: int, *, torchfix: bool) -> None:
    """All figures for one folder, the programs in turn so that a slow minute hits all of them."""
    with tempfile.TemporaryDirectory() as place:
        copy, cache = os.path.join(place, "tree", os.path.basename(folder)), os.path.join(place, "cache")
        shutil.copytree(folder, copy, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        track(copy)
        files = sorted(str(path) for path in Path(copy).rglob("*.py") if path.is_file() and ".git" not in path.parts)
        size = sum(os.path.getsize(path) for path in files)
        print(f"\n{os.path.basename(folder)}: {len(files)} Python files, {size / 1e6:.1f} MB; median of {runs}, seconds")
        few = {f"dlgovern five changed, {word}": five(files, wanted) for word, wanted in (("plain", False), ("distributed", True))}
        programs: dict[str, tuple[list[str], bytes]] = {
            "interpreter with argparse": ([sys.executable, "-I", "-c", "import argparse"], b""),
            "ast.parse, 2 processes, gc off": ([sys.executable, "-I", "-c", PARSE, "2"], "\0".join(files).encode()),
            "dlgovern cold": ([*OURS, copy, "--no-cache"], b""),
            "dlgovern whole after ten changes": ([*OURS, copy, "--cache-dir", cache], b""),  # those of the turn before
            "dlgovern warm": ([*OURS, copy, "--cache-dir", cache], b""),
            **{name: ([*OURS, *paths, "--cache-dir", cache], b"") for name, paths in few.items() if paths},
        }
        if ruff := shutil.which("ruff"):
            plain = [ruff, "check", "--isolated", "--select", "TID251", "--config", BANNED, "--exit-zero", "-q", copy]
            programs["ruff cold"] = ([*plain, "--no-cache"], b"")
            programs["ruff warm"] = ([*plain, "--cache-dir", os.path.join(place, "ruff")], b"")
        else:
            print("ruff is not installed here")
        times: dict[str, list[tuple[float, float, int]]] = {name: [] for name in programs}
        for turn in range(runs + 1):
            for name, (command, data) in programs.items():
                for path in few.get(name, ()):
                    change(path, turn)
                figure = timed(command, data)
                if turn:  # the first turn fills caches
                    times[name].append(figure)
        for name, figures in times.items():
            wall, cpu, memory = (statistics.median(column) for column in zip(*figures, strict=True))
            print(f"  {name:34s} wall {wall:7.3f}   cpu {cpu:7.3f}   peak {memory / 1024:6.0f} MB")
        middle = {name: statistics.median(f[0] for f in figures) for name, figures in times.items()}
        ratios(middle)
        doubled(copy, files, runs)
        if torchfix and (program := shutil.which("torchfix")):
            wall, cpu, _ = timed([program, copy], b"")
            print(f"  torchfix, one run: wall {wall:.1f} cpu {cpu:.1f}; {wall / middle['dlgovern cold']:.0f}x dlgovern cold")


def track(folder: str) -> None:
    """Make a repository of a folder, as it is where people work; without git the figures are those of a plain folder."""
    if git := shutil.which("git"):
        for words in (["init", "-q"], ["add", "-A"]):
            subprocess.run([git, "-C", folder, *words], check=True, stderr=subprocess.DEVNULL)


def five(files: list[str], distributed: bool) -> list[str]:
    """Five files of ordinary size, 6 to 20 KB, spread over the folder: such as say something distributed, or do not."""
    fit = [
        path
        for path in files
        if 6_000 <= os.path.getsize(path) <= 20_000 and bool(DISTRIBUTED.search(Path(path).read_bytes())) == distributed
    ]
    return fit[:: max(1, len(fit) // 5)][:5]


def change(path: str, turn: int) -> None:
    """What somebody who works on a file does to it: a statement more."""
    with open(path, "a", encoding="utf-8") as file:
        file.write(f"\n\n_CHANGED_{turn} = {turn}  # once more\n")


def ratios(middle: dict[str, float]) -> None:
    """What the figures mean beside each other."""
    pairs = [
        ("dlgovern cold", "ruff cold"), ("dlgovern warm", "ruff warm"),
        ("dlgovern cold", "ast.parse, 2 processes, gc off"), ("dlgovern five changed, plain", "interpreter with argparse"),
        ("dlgovern five changed, distributed", "interpreter with argparse"),
    ]
    for one, other in pairs:
        if one in middle and other in middle:
            print(f"  {one} / {other}: {middle[one] / middle[other]:.2f}")


def doubled(folder: str, files: list[str], runs: int) -> None:
    """Twice the files: twice the time, or worse?"""
    with tempfile.TemporaryDirectory() as place:
        for name in ("once", "twice/a", "twice/b"):
            for path in files[:600]:
                target = os.path.join(place, name, os.path.relpath(path, folder))
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copyfile(path, target)
        middle = []
        for name in ("once", "twice"):
            command = [*OURS, os.path.join(place, name), "--isolated", "--no-cache"]
            middle.append(statistics.median(timed(command, b"")[1] for _ in range(runs)))
        print(f"  twice the files: {middle[1] / middle[0]:.2f} times the CPU")


def timed(command: list[str], data: bytes) -> tuple[float, float, int]:
    """Wall and CPU seconds, and the largest resident size in KB, of a process and its children."""
    # not in CI, and with compiled modules as an installed package has them
    environment = {name: value for name, value in os.environ.items() if name not in ("CI", "PYTHONDONTWRITEBYTECODE")}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    with tempfile.TemporaryFile() as stdin:
        stdin.write(data)
        stdin.seek(0)
        process = subprocess.Popen(
            command, stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
        )
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, usage.ru_maxrss


if __name__ == "__main__":
    main()
