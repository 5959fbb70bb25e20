"""What is kept of earlier runs answers only while everything it rests on is as it was."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dlgovern.engine import ledger, stamps
from dlgovern.engine.run import Job, judge_files
from dlgovern.engine.walk import Walk
from dlgovern.policy import Policy, Rule
from dlgovern.repository.window import Windows
from dlgovern.store import Store

Run = Callable[..., tuple[list[str], list[str]]]
USE = "from compat import load\nload(p)\n"


def job(root: Path) -> Job:
    """One rule that reports torch.load."""
    rule = Rule(
        "DLG999", "loads", "", "{call}", "", "", "", "high", (), (), {}, "call", {"names": ["torch.load"]}, (), {},
        "python", "0.1", "", {"": "error"}, [{"name": "torch.load"}],
    )
    return Job(Policy("t", "1", "f", "all", (rule,), (), {}, (), {}, True, {}), str(root), Windows({}, {}), 1)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder of a project, its cache beside it."""
    made = tmp_path / "project"
    made.mkdir()
    return made


@pytest.fixture
def run(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Judge files; says which have findings, and which had to be judged anew. Status counts as soon as it is seen."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(stamps, "_TICK", -(10**18))
    judged: list[str] = []
    judge = Walk.judge

    def spy(walk: Walk, path: str, data: bytes | None = None) -> object:
        judged.append(path)
        return judge(walk, path, data)

    monkeypatch.setattr(Walk, "judge", spy)

    def go(*paths: str, root: Path = project) -> tuple[list[str], list[str]]:
        judged.clear()
        names = list(paths) or sorted(path.relative_to(root).as_posix() for path in root.rglob("*.py"))
        found = judge_files(job(root), names, Store(str(tmp_path / "cache")))
        return [result.path for result in found if result.hits], list(judged)

    return go


def write(project: Path, **texts: str) -> None:
    for name, text in texts.items():
        path = project / f"{name.replace('__', '/').replace('//init/', '/__init__')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def parts(tmp_path: Path) -> list[Path]:
    return sorted(path for path in (tmp_path / "cache").glob("results-*.json") if path.stem[-2:].isdigit())


def listed(tmp_path: Path) -> Path:
    """The list of the files that results rest on."""
    return next((tmp_path / "cache").glob("results-*-files.json"))


def test_a_second_run_judges_nothing(project, run):
    write(project, compat="from torch import load\n", use=USE, other="x = 1\n")
    assert (["use.py"], ["compat.py", "other.py", "use.py"]) == run()
    assert (["use.py"], []) == run()


def test_only_what_changed_and_who_rests_on_it_is_judged_again(project, run):
    write(project, compat="from torch import load\n", use=USE, other="x = 1\n")
    run()
    write(project, compat="def load(p): ...\n")
    assert ([], ["compat.py", "use.py"]) == run()


def test_what_else_a_module_says_is_no_matter_where_only_a_name_was_asked_for(project, run):
    write(project, compat="from torch import load\n\n\ndef other():\n    return 1\n", use=USE)
    assert ["use.py"] == run()[0]
    write(project, compat="from torch import load\n\n\ndef other():\n    return 2\n\n\nMORE = 3\n")
    assert (["use.py"], ["compat.py"]) == run()
    write(project, compat="from torch import load\n\n\ndef others():\n    return 2\n")
    assert (["use.py"], ["compat.py", "use.py"]) == run()
    write(project, compat="from torch import load\nif 0:\n    load = 3\n")
    assert "use.py" in run()[1]


def test_in_ci_too(project, run, monkeypatch):
    monkeypatch.setenv("CI", "1")
    write(project, compat="from torch import load\n\n\ndef other():\n    return 1\n", use=USE)
    run()
    write(project, compat="from torch import load\n\n\ndef other():\n    return 2\n")
    assert (["use.py"], ["compat.py"]) == run()
    write(project, compat="from torch import save as load\n\n\ndef other():\n    return 2\n")
    assert ([], ["compat.py", "use.py"]) == run()


def test_a_module_that_appears_changes_where_an_import_leads(project, run):
    write(project, use=USE, other="x = 1\n")
    assert ([], ["other.py", "use.py"]) == run()
    write(project, compat="from torch import load\n")
    assert (["use.py"], ["compat.py", "use.py"]) == run()


def test_a_package_that_appears_does_too(project, run):
    write(project, use="from kit.io import load\nload(p)\n")
    run()
    write(project, kit__io="from torch import load\n")
    assert ["use.py"] == run("use.py")[0]


def test_a_module_that_disappears_does_too(project, run):
    write(project, compat="from torch import load\n", use=USE)
    assert ["use.py"] == run("use.py")[0]
    (project / "compat.py").unlink()
    assert [] == run("use.py")[0]


def test_a_module_that_concerns_nobody_makes_nobody_judged_again(project, run):
    write(project, compat="from torch import load\n", use=USE)
    run()
    write(project, helper="x = 1\n")
    assert (["use.py"], ["helper.py"]) == run()
    assert (["use.py"], []) == run()


def test_a_name_that_appears_behind_a_star_is_seen(project, run):
    write(project, pkg____init__="from .a import *\n", pkg__a="x = 1\n", use="from pkg import load\nload(p)\n")
    assert [] == run()[0]
    write(project, pkg__a="from torch import load\n")
    assert ["use.py"] == run("use.py")[0]


def test_same_size_and_time_do_not_hide_a_change(project, run):
    write(project, use="import torch\ntorch.load(p)\n")
    run()
    status = (project / "use.py").stat()
    write(project, use="import torch\ntorch.save(p)\n")
    os.utime(project / "use.py", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert ([], ["use.py"]) == run()


def test_a_new_time_on_the_same_bytes_costs_no_judging(project, run):
    write(project, compat="from torch import load\n", use=USE)
    run()
    os.utime(project / "use.py")
    assert (["use.py"], []) == run()


def test_the_status_of_a_file_as_new_as_the_run_is_not_trusted(project, run, monkeypatch):
    monkeypatch.setattr(stamps, "_TICK", 2_000_000_000)
    write(project, use="import torch\ntorch.load(p)\n")
    run()
    frozen = stamps.Stamps.of
    kept = frozen(stamps.Stamps(str(project)), "use.py")
    write(project, use="import torch\ntorch.save(p)\n")
    monkeypatch.setattr(stamps.Stamps, "of", lambda self, path: kept if path == "use.py" else frozen(self, path))
    assert ([], ["use.py"]) == run()


def test_in_ci_only_bytes_count(project, run, monkeypatch):
    monkeypatch.setenv("CI", "1")
    write(project, compat="from torch import load\n", use=USE, empty="")
    run()
    for path in project.iterdir():
        os.utime(path)
    assert (["use.py"], []) == run()


def test_a_run_over_one_file_reads_the_part_of_its_folder(project, run, tmp_path, monkeypatch):
    write(project, **{f"f{number}__m": "x = 1\n" for number in range(40)})
    run()
    read: list[str] = []
    whole = Store.read
    monkeypatch.setattr(Store, "read", lambda self, name: read.append(name) or whole(self, name))
    assert ([], []) == run("f7/m.py")
    assert (["files", "layout", "part"], True) == (sorted(kind(name) for name in read), len(parts(tmp_path)) > 10)


def kind(name: str) -> str:
    last = name.removesuffix(".json").rpartition("-")[2]
    return "part" if last.isdigit() else last


def test_a_damaged_part_costs_its_own_files(project, run, tmp_path):
    write(project, a__use="import torch\ntorch.load(p)\n", b__use="import torch\ntorch.load(p)\n")
    run()
    damaged = next(path for path in parts(tmp_path) if b"a/use.py" in path.read_bytes())
    for text in ("", "{", "[]", '{"layout": "", "files": 3, "answers": {}}', "null", "\0"):
        damaged.write_text(text)
        assert (["a/use.py", "b/use.py"], ["a/use.py"]) == run()


def test_a_part_with_odd_insides_is_a_miss(project, run, tmp_path):
    write(project, use="import torch\ntorch.load(p)\n")
    run()
    (part,) = parts(tmp_path)
    for key, value in (
        ("sets", []), ("sets", ["g"]), ("sets", [["x"]]), ("sets", [[-1]]), ("sets", ["ffff"]), ("sets", 3), ("mark", ""), ("mark", 3),
        ("answers", {"use.py": 3}), ("answers", {"use.py": [7, [[0, []]]]}), ("answers", {"use.py": [-1, [[0, []]]]}),
        ("answers", {"use.py": [0, [[0, [1]]]]}), ("answers", {"use.py": ["x", [[0, []]]]}), ("answers", {"use.py": [0, [[None, []]]]}),
        ("answers", {"use.py": [0, 3]}), ("answers", {"use.py": [0, []]}), ("answers", {"use.py": [0, [[0]]]}), ("answers", []),
    ):
        part.write_text(json.dumps({**json.loads(part.read_text()), key: value}))
        assert (["use.py"], ["use.py"]) == run(), (key, value)


def test_a_damaged_list_of_files_costs_all_and_misleads_nobody(project, run, tmp_path):
    write(project, a__use="import torch\ntorch.load(p)\n", b__other="x = 1\n")
    whole = (["a/use.py"], ["a/use.py", "b/other.py"])
    assert whole == run()
    good = json.loads(listed(tmp_path).read_text())
    for text in ("", "{", "[]", "null", "\0", *(json.dumps({**good, key: value}) for key, value in (
        ("paths", []), ("paths", [3, 4]), ("digests", ["x"]), ("known", [1]), ("known", []), ("files", [7, 0]), ("names", [1, 2]),
        ("marks", []), ("marks", 3), ("status", None),
    ))):
        listed(tmp_path).write_text(text)
        assert whole == run(), text
    assert (["a/use.py"], []) == run()


def test_a_part_of_a_run_that_was_overtaken_is_not_believed(project, run, tmp_path):
    """Two runs at once: each adds rows, the second one to write knows nothing of those of the first."""
    write(project, a__use="x = 1\n", b__use="x = 1\n")
    run()
    before = listed(tmp_path).read_bytes()
    write(project, compat="from torch import load\n", a__use=USE)
    assert (["a/use.py"], ["a/use.py"]) == run("a/use.py")
    listed(tmp_path).write_bytes(before)
    write(project, b__use="import torch\ntorch.load(p)\n")
    assert (["b/use.py"], ["b/use.py"]) == run("b/use.py")
    assert (["a/use.py"], ["a/use.py"]) == run("a/use.py")


def test_the_list_of_files_does_not_grow_for_ever(project, run, tmp_path):
    write(project, **{f"f{number}__m": "x = 1\n" for number in range(20)})
    run()
    for turn in range(30):
        write(project, f3__m=f"x = {turn}\n")
        assert ([], ["f3/m.py"]) == run("f3/m.py")
    assert len(json.loads(listed(tmp_path).read_text())["paths"]) <= 23
    assert ([], []) == run()


def test_more_runs_than_are_told_apart_lose_nothing(project, run, tmp_path, monkeypatch):
    monkeypatch.setattr(ledger, "_MARKS", 3)
    write(project, **{f"f{number}__m": "x = 1\n" for number in range(99)})
    for number in range(20):
        run(f"f{number}/m.py")
    assert len(json.loads(listed(tmp_path).read_text())["marks"]) <= 4
    found, judged = run()
    assert ([], 79) == (found, len(judged))
    assert False is any(f"f{number}/m.py" in judged for number in range(20))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"folders": {}, "history": []}', '{"folders": {"": 3}, "history": []}'])
def test_parts_of_which_the_layout_is_lost_are_not_believed(project, run, tmp_path, text):
    write(project, use=USE)
    run()
    for path in (tmp_path / "cache").glob("results-*-layout.json"):
        path.write_text(text)
    write(project, compat="from torch import load\n")
    assert (["use.py"], ["use.py"]) == run("use.py")


def test_modules_that_come_and_go_between_runs_over_other_files_are_remembered(project, run):
    write(project, a__use=USE, b__other="x = 1\n")
    run()
    write(project, compat="from torch import load\n")
    run("b/other.py")
    run("b/other.py")
    assert (["a/use.py"], ["a/use.py"]) == run("a/use.py")


def test_a_package_that_begins_concerns_every_file(project, run):
    write(project, a__load="x = 1\n", a__use="from load import y\n")
    run()
    write(project, a____init__="")
    assert "a/use.py" in run()[1]


def test_a_moved_repository_is_judged_anew(project, run, tmp_path):
    write(project, compat="from torch import load\n", use=USE)
    run()
    moved = tmp_path / "moved"
    shutil.move(project, moved)
    assert (["use.py"], ["compat.py", "use.py"]) == run(root=moved)


def test_another_repository_at_the_same_place_is_another(project, run):
    write(project, compat="from torch import load\n", use=USE)
    run()
    shutil.rmtree(project)
    project.mkdir()
    write(project, compat="def load(p): ...\n", use=USE)
    assert ([], ["compat.py", "use.py"]) == run()


def test_two_runs_at_once_both_answer_right_and_leave_whole_parts(project, tmp_path):
    write(project, compat="from torch import load\n", **{f"d{n}__use": USE for n in range(8)})
    names = [f"d{n}/use.py" for n in range(8)]

    def once(turn: int) -> list[bool]:
        some = names if turn % 2 else names[turn % 8 :]
        return [bool(result.hits) for result in judge_files(job(project), some, Store(str(tmp_path / "cache")))]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(once, range(24)))
    assert {True} == {hit for run_ in found for hit in run_}
    for part in parts(tmp_path):
        json.loads(part.read_text())
    assert [] == [path.name for path in (tmp_path / "cache").iterdir() if path.name.startswith(".new-")]


def test_a_deleted_file_leaves_the_cache(project, run, tmp_path):
    write(project, keep="x = 1\n", gone="y = 1\n")
    run()
    (project / "gone.py").unlink()
    write(project, keep="x = 2\n")
    run()
    assert False is any(b"gone.py" in path.read_bytes() for path in parts(tmp_path))


def test_what_nobody_wrote_for_long_is_deleted(tmp_path):
    store = Store(str(tmp_path))
    for name in ("old.json", "new.json", "other.txt"):
        (tmp_path / name).write_text("{}")
        if name != "new.json":
            os.utime(tmp_path / name, (0, 0))
    store.prune()
    assert ["new.json", "other.txt"] == sorted(path.name for path in tmp_path.iterdir())
