"""Verdicts and speed on model files, beside picklescan, modelscan and fickling.

    python benchmarks/artifacts.py [--peers VENV/bin/python] [--public FOLDER …]

Writes the hostile set of the tests and files of real libraries to a temporary folder, asks every tool about each file, and prints
what share of the hostile ones it did not call clean, and of the benign ones it called unsafe. ``--peers`` is the Python of an
environment with the three tools; ``--public`` folders hold files of others, whose names say what they are.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))
sys.path.insert(0, str(ROOT / "tests" / "evidence" / "artifacts"))

import hostile  # noqa: E402

from dlgovern.evidence.artifacts.allowed import newest  # noqa: E402
from dlgovern.evidence.artifacts.read import read_file  # noqa: E402

ROWS = [line.split("\t") for line in (ROOT / "rules/exports/weights-only.tsv").read_text().splitlines() if line[:1] != "#"]
ALLOWED = newest(ROWS)

PEER = r'''
import contextlib, io, json, logging, os, sys, warnings
warnings.simplefilter("ignore"); logging.disable(logging.CRITICAL)
tool, paths = sys.argv[1], json.load(sys.stdin)
def picklescan(path):
    from picklescan.scanner import SafetyLevel, scan_file_path
    found = scan_file_path(path)
    if found.infected_files or found.issues_count:
        return "unsafe"
    if found.scan_err:
        return "undecided"
    return "suspicious" if any(g.safety == SafetyLevel.Suspicious for g in found.globals) else "clean"
def modelscan(path):
    from modelscan.modelscan import ModelScan
    result = ModelScan().scan(path)
    if result["issues"]:
        return "unsafe"
    return "undecided" if result["errors"] or result["summary"]["skipped"]["total_skipped"] else "clean"
def fickling(path):
    import zipfile
    from fickling.analysis import Severity, check_safety
    from fickling.fickle import Pickled, StackedPickle
    data = open(path, "rb").read()
    streams = [data]
    if data[:4] == b"PK\3\4":
        with zipfile.ZipFile(path) as archive:
            streams = [archive.read(name) for name in archive.namelist() if name.endswith((".pkl", ".pickle"))]
            if not streams:
                return "undecided"
    worst = "clean"
    for stream in streams:
        for pickled in StackedPickle.load(io.BytesIO(stream)):
            if check_safety(pickled).severity > Severity.LIKELY_SAFE:
                worst = "unsafe"
    return worst
__import__({"picklescan": "picklescan.scanner", "modelscan": "modelscan.modelscan", "fickling": "fickling.analysis"}[tool])
ask = {"picklescan": picklescan, "modelscan": modelscan, "fickling": fickling}[tool]
answers = []
for path in paths:
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            answers.append(ask(path))
    except BaseException as error:
        answers.append("undecided")
json.dump(answers, sys.stdout)
'''


def group(construction: str) -> str:
    """The row of the table that a construction belongs to."""
    for start, name in (
        *(("gadget in", "gadgets in checkpoints"), ("gadget", "gadgets"), ("form in", "opcode forms in checkpoints"), ("form", "opcode forms")),
        *(("dotted", "dotted names"), ("name ", "look-alike names"), ("container", "archives and legacy torch"), ("wrapped", "compressed, npy, npz")),
        *(("pt2", "exported programs"), ("keras", "Keras"), ("hdf5", "Keras"), ("safetensors", "safetensors"), ("gguf", "GGUF"), ("onnx", "ONNX")),
        *(("cut", "cut short"), ("ending", "endings"), ("archive ending", "endings")),
    ):
        if construction.startswith(start):
            return name
    return "resource bombs"


def benign(folder: Path) -> list[Path]:
    """Files of real libraries."""
    made: list[Path] = []

    def keep(name: str, data: bytes) -> None:
        path = folder / f"{len(made):04}-{name}"
        path.write_bytes(data)
        made.append(path)

    sys.path.insert(0, str(ROOT / "tests" / "torch"))
    sys.path.insert(0, str(ROOT / "tests" / "evidence" / "artifacts"))
    import test_benign

    for name, data in test_benign.all_files(folder):
        keep(name, data)
    try:
        import test_artifacts
    except BaseException:  # noqa: BLE001 - without torch its tests skip themselves
        return made
    for state in test_artifacts.states():
        for how in test_artifacts.FORMS.values():
            keep("state.pt", test_artifacts.saved(state, **how))

    return made


def ours(paths: list[Path]) -> list[str]:
    """Our verdicts."""
    return [read_file(str(path), path.name, ALLOWED).verdict for path in paths]


def theirs(python: str, tool: str, paths: list[Path]) -> list[str]:
    """The verdicts of another tool, in one process; a process that dies is started again behind the file that killed it."""
    answers: list[str] = []
    size = 200
    for start in range(0, len(paths), size):
        batch = [str(path) for path in paths[start : start + size]]
        answers += _batch(python, tool, batch)
    return answers


def _batch(python: str, tool: str, batch: list[str]) -> list[str]:
    try:
        ran = subprocess.run(
            [python, "-I", "-c", PEER, tool], input=json.dumps(batch), capture_output=True, text=True, timeout=60 + len(batch), check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30)),
        )
        answers: list[str] = json.loads(ran.stdout)
        return answers
    except (ValueError, subprocess.TimeoutExpired) as error:
        if isinstance(error, ValueError) and b"ModuleNotFoundError" in ran.stderr.encode():
            raise SystemExit(f"{tool} cannot be imported there:\n{ran.stderr}") from None
        if len(batch) == 1:
            return ["undecided"]
        half = len(batch) // 2
        return _batch(python, tool, batch[:half]) + _batch(python, tool, batch[half:])


def table(rows: dict[str, dict[str, Counter[str]]], tools: list[str], wanted: set[str]) -> None:
    """One line a group: how many files of how many have one of the wanted verdicts."""
    width = max(map(len, rows)) + 2
    print(f"{'':{width}}{'files':>7}" + "".join(f"{tool:>14}" for tool in tools))
    total: dict[str, int] = defaultdict(int)
    for name, counts in rows.items():
        count = sum(counts[tools[0]].values())
        found = {tool: sum(counts[tool][word] for word in wanted) for tool in tools}
        print(f"{name:{width}}{count:>7}" + "".join(f"{found[tool]:>14}" for tool in tools))
        total["files"] += count
        for tool in tools:
            total[tool] += found[tool]
    print(f"{'all':{width}}{total['files']:>7}" + "".join(f"{total[tool]:>14}" for tool in tools))


def speed(folder: Path) -> None:
    """Ten gigabytes in two forms, and seven and a half megabytes of opcodes in two: tensors and plain data."""
    import struct
    import zipfile

    size = 10 * 1024**3
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    big = folder / "big.safetensors"
    with open(big, "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + size)
    zipped = folder / "big.pt"
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr(zipfile.ZipInfo("big/data.pkl"), _one(size // 4))
    start = zipped.stat().st_size  # a stored member of 10 GB behind the first, as zipfile would write it
    directory = zipped.read_bytes()
    central = directory.index(b"PK\1\2")
    entry_end = directory.index(b"PK\5\6")
    name = b"big/data/0"
    large = struct.pack("<HHQQ", 1, 16, size, size)
    local = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 45, 0, 0, 0, 0, 0, 0xFFFFFFFF, 0xFFFFFFFF, len(name), len(large)) + name + large
    entry = struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 45, 45, 0, 0, 0, 0, 0, 0xFFFFFFFF, 0xFFFFFFFF, len(name), len(large), 0, 0, 0, 0, central)
    entries = directory[central:entry_end] + entry + name + large
    where = central + len(local) + size
    end64 = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 2, 2, len(entries), where)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, where + len(entries), 1)
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 2, 2, len(entries), 0xFFFFFFFF, 0)
    with open(zipped, "wb") as file:
        file.write(directory[:central] + local)
        file.truncate(where)
        file.seek(where)
        file.write(entries + end64 + locator + end)
    assert start
    parts = [b"\x80\x02ccollections\nOrderedDict\nq\0)Rq\1(", _first()]
    for number in range(7_500_000 // len(_tensor(70_000))):
        parts.append(_tensor(number))
    pickled = folder / "many.pt"
    storages = [(f"data/{number}", b"\0" * 24) for number in range(2)]
    pickled.write_bytes(hostile.torch_zip(b"".join(parts) + b"u.", storages))
    records = folder / "records.pkl"
    plain = [{"id": n, "name": f"user-{n}", "x": n / 7, "tags": ["a", f"t{n % 50}"], "at": (n, n + 1, n / 3), "on": n % 2 == 0, "of": None} for n in range(96_000)]
    records.write_bytes(pickle.dumps(plain, 4))
    del plain
    for path in (big, zipped, pickled, records):
        before = time.perf_counter()
        cpu = time.process_time()
        verdict = read_file(str(path), path.name, ALLOWED).verdict
        took, used = time.perf_counter() - before, time.process_time() - cpu
        print(f"{path.name:18}{os.stat(path).st_size:>16,} bytes  {verdict:10} {took:.3f} s, {used:.3f} s of processor")
    print(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


def _one(count: int) -> bytes:
    """The pickle of one tensor of so many floats."""
    number = b"\x8a\5" + count.to_bytes(5, "little")
    return (
        b"\x80\2ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\x000X\3\0\0\0cpu" + number
        + b"tQK\0" + number + b"\x85K\1\x85\x89ccollections\nOrderedDict\n)RtR."
    )


def _first() -> bytes:
    """The first tensor, with what all others take from the memo: the words, the storage class, the function."""
    return (
        b"X\1\0\0\0wq\2ctorch._utils\n_rebuild_tensor_v2\nq\3((X\7\0\0\0storageq\4ctorch\nFloatStorage\nq\5X\1\0\0\x000q\6X\3\0\0\0cpuq\7K\6tq\x08"
        b"QK\0K\2K\3\x86q\x09K\3K\1\x86q\x0a\x89h\0)Rq\x0btq\x0cRq\x0d"
    )


def _tensor(number: int) -> bytes:
    """One tensor, opcode for opcode as `torch.save` writes all but the first."""
    import struct

    index = iter(range(14 + number * 8, 22 + number * 8))

    def put() -> bytes:
        return b"r" + struct.pack("<I", next(index))

    def text(value: str) -> bytes:
        return b"X" + struct.pack("<I", len(value)) + value.encode() + put()

    return (
        text(f"model.layers.{number}.attention.weight") + b"h\3((h\4h\5" + text(str(number % 2)) + b"h\7K\6t" + put()
        + b"QK\0K\2K\3\x86" + put() + b"K\3K\1\x86" + put() + b"\x89h\0)R" + put() + b"t" + put() + b"R" + put()
    )


def public(folders: list[str]) -> list[tuple[str, Path]]:
    """Files of others whose names say that they are malicious."""
    words = ("malicious", "evil", "exploit", "bypass", "bad")
    endings = (".pt", ".pth", ".bin", ".pkl", ".pickle", ".npy", ".npz", ".h5", ".keras", ".zip", ".7z", ".joblib", ".dat", ".onnx", ".safetensors")
    found = []
    for folder in folders:
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file() and not path.is_symlink() and path.suffix in endings and any(word in path.name.lower() for word in words):
                found.append((folder, path))
    return found


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", default="", help="the Python of an environment with picklescan, modelscan and fickling")
    parser.add_argument("--public", nargs="*", default=[], help="folders with files of others")
    said = parser.parse_args()
    tools = ["dlgovern", *(["picklescan", "modelscan", "fickling"] if said.peers else [])]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print("speed")
        speed(folder)
        samples = [(group(one.construction), folder / f"{number:05}-{one.name}", one.data) for number, one in enumerate(hostile.files())]
        for _, path, data in samples:
            path.write_bytes(data)
        paths = [path for _, path, _ in samples]
        rows: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
        good = benign(Path(tempfile.mkdtemp(dir=name)))
        fine: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
        others = public(said.public)
        seen: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
        for tool in tools:
            ask = ours if tool == "dlgovern" else lambda files, tool=tool: theirs(said.peers, tool, files)
            for (row, _, _), verdict in zip(samples, ask(paths), strict=True):
                rows[row][tool][verdict] += 1
            for path, verdict in zip(good, ask(good), strict=True):
                fine[path.suffix][tool][verdict] += 1
            for (where, _), verdict in zip(others, ask([path for _, path in others]), strict=True):
                seen[Path(where).name][tool][verdict] += 1
        print("\nhostile files that are not called clean (picklescan's `suspicious` leaves with 0 and counts as clean)")
        table(rows, tools, {"unsafe", "undecided"})
        print("\nof these called unsafe")
        table(rows, tools, {"unsafe"})
        print("\nbenign files called unsafe")
        table(fine, tools, {"unsafe"})
        print("\nbenign files called clean")
        table(fine, tools, {"clean", "suspicious"})
        if others:
            print("\nfiles of others with a malicious name that are not called clean")
            table(seen, tools, {"unsafe", "undecided"})


if __name__ == "__main__":
    sys.stdout = io.TextIOWrapper(sys.stdout.buffer, line_buffering=True)
    main()
