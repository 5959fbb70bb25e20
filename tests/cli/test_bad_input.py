"""Bad input: each is a clear finding or error on that file, the rest is judged, nothing crashes or hangs."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

GOOD = "import torch\nstate = torch.load(p, weights_only=False)\n"


@pytest.fixture(autouse=True)
def _compiled(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The standard is compiled already."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))


def check(root: Path, *words: str, timeout: float = 60) -> tuple[int, dict[str, object], str]:
    """Run the real program in a project: exit code, json report, standard error."""
    run = subprocess.run(
        [sys.executable, "-P", "-m", "dlgovern", "check", ".", "--output-format", "json", *words],
        cwd=root,
        capture_output=True,
        timeout=timeout,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p.endswith("src"))},
        check=False,
    )
    return run.returncode, json.loads(run.stdout or b"{}"), run.stderr.decode()


def rules(report: dict[str, object], path: str) -> list[str]:
    """The rules with a finding on a file."""
    return [one["rule"] for one in report["findings"] if one["path"] == path]  # type: ignore[index, attr-defined]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one good file that has one finding."""
    (tmp_path / "good.py").write_text(GOOD)
    return tmp_path


HOSTILE = {
    "syntax error": b"import torch\ntorch.load(p, weights_only=False)\ndef f(:\n",
    "python 2": b"import torch\nprint torch.load(p, weights_only=False)\n",
    "NUL": b"x = 1\0\n",
    "UTF-16": "x = 1\n".encode("utf-16"),
    "invalid UTF-8": b"x = '\xff'\n",
    "invalid UTF-8 in a comment": b"# \xff\nimport torch\n",
    "unknown encoding": b"# coding: no-such\nx = 1\n",
    "hiding encoding": b"# coding: utf-7\n# +AAo-import os\n",
    "rot13": b"# coding: rot13\nvzcbeg bf\n",
    "deep nesting": b"import torch\nx = " + b"(" * 3000 + b")" * 3000 + b"\ntorch.load(p, weights_only=False)\n",
    "deep operators": b"import torch\nx = " + b"+".join([b"1"] * 20000) + b"\ntorch.load(x, weights_only=False)\n",
    "deep attributes": b"import torch\nx = a" + b".b" * 20000 + b"\ntorch.load(x, weights_only=False)\n",
    "deep indentation": b"import torch\n" + b"".join(b" " * n + b"if x:\n" for n in range(150)) + b" " * 150 + b"torch.load(p, weights_only=False)\n",
    "lone carriage return": b"# x\rimport torch\n\ntorch.load(p, weights_only=False)\n",
    "a number without end": b"import torch\nx = " + b"9" * 10000 + b"\ntorch.load(x, weights_only=False)\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_source_is_a_finding_on_that_file_and_the_rest_is_judged(project: Path, name: str) -> None:
    """Never exit 0, never a traceback."""
    (project / "bad.py").write_bytes(HOSTILE[name])
    code, report, errors = check(project)
    assert "DLG502" in rules(report, "good.py")
    assert "DLG901" in rules(report, "bad.py") or "DLG502" in rules(report, "bad.py")
    assert code in (1, 3)
    assert "Traceback" not in errors


@pytest.mark.parametrize("text", ["x = f(1, (2, 3)\ny = 4\n", "def g():\n    return 1\n  y = 2\n", "a = b = = c\n", "class A:\n    def f(self,\n"])
def test_a_broken_file_of_which_no_rule_needs_anything_is_named(project: Path, text: str) -> None:
    """It says nothing that any rule asks for, and is no less unjudged for that."""
    (project / "bad.py").write_text(text)
    code, report, _ = check(project)
    assert (["DLG901"], 1) == (rules(report, "bad.py"), code)


def test_a_file_that_needs_a_newer_python_says_so(project: Path) -> None:
    """PEP 758 is newer than every interpreter we run on."""
    (project / "new.py").write_text("import torch\ntry:\n    torch.load(p, weights_only=False)\nexcept A, B:\n    pass\n")
    _, report, _ = check(project)
    messages = [one["message"] for one in report["findings"] if one["path"] == "new.py" and one["rule"] == "DLG901"]  # type: ignore[index, attr-defined]
    assert ["Python 3.14"] == ["Python 3.14" for message in messages if "of Python 3.14, which" in message]


def test_a_large_file_is_named_as_not_judged(project: Path) -> None:
    """More than a megabyte is not read."""
    (project / "large.py").write_bytes(b"x = 1\n" * 200_000)
    code, report, _ = check(project)
    assert (3, ["large.py"]) == (code, [one["path"] for one in report["not_judged"]])  # type: ignore[index, attr-defined]


def test_a_fifo_does_not_hang(project: Path) -> None:
    """It is not a regular file."""
    os.mkfifo(project / "pipe.py")
    code, report, _ = check(project, timeout=30)
    assert (3, ["pipe.py"]) == (code, [one["path"] for one in report["not_judged"]])  # type: ignore[index, attr-defined]


def test_a_link_out_of_the_tree_is_never_read(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """It is named instead."""
    secret = tmp_path_factory.mktemp("outside") / "secret.py"
    secret.write_text(GOOD)
    (project / "link.py").symlink_to(secret)
    (project / "zero.py").symlink_to("/dev/zero")
    code, report, _ = check(project, timeout=30)
    assert (3, ["link.py", "zero.py"]) == (code, [one["path"] for one in report["not_judged"]])  # type: ignore[index, attr-defined]
    assert [] == rules(report, "link.py")


def test_a_circle_of_links_ends(project: Path) -> None:
    """Folders are not followed through links."""
    (project / "loop").symlink_to(".")
    (project / "a.py").symlink_to("b.py")
    (project / "b.py").symlink_to("a.py")
    code, report, _ = check(project, timeout=30)
    assert ["DLG502"] == rules(report, "good.py")
    assert code in (1, 3)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_named(project: Path) -> None:
    """Without permission nothing is judged."""
    (project / "locked.py").write_text(GOOD)
    (project / "locked.py").chmod(0)
    code, report, _ = check(project)
    assert (3, ["locked.py"]) == (code, [one["path"] for one in report["not_judged"]])  # type: ignore[index, attr-defined]


def test_a_broken_pyproject_is_an_error_that_names_the_line(project: Path) -> None:
    """Configuration that cannot be read is exit 2, and nothing is judged."""
    (project / "pyproject.toml").write_text("[tool.dlgovern]\nselect = [\n")
    code, _, errors = check(project)
    assert (2, True) == (code, "pyproject.toml" in errors and "no file was judged" in errors)


def test_a_broken_pyproject_of_somebody_else_is_a_finding(project: Path) -> None:
    """Without our table it is evidence, not configuration."""
    (project / "pyproject.toml").write_text("[project\nname = 1\n")
    code, report, _ = check(project)
    assert (1, ["DLG901"]) == (code, rules(report, "pyproject.toml"))


def test_a_misspelt_key_comes_with_a_suggestion_and_its_line(project: Path) -> None:
    """All mistakes at once."""
    (project / "pyproject.toml").write_text("[tool.dlgovern]\nselct = []\nprofile = 3\n")
    code, _, errors = check(project)
    assert 2 == code
    assert "pyproject.toml:2: selct is unknown; did you mean \"select\"?" in errors
    assert "pyproject.toml:3: profile must be a string" in errors


def test_planted_modules_are_never_imported(project: Path) -> None:
    """Neither by the parent nor by a worker."""
    for module in ("pickle", "threading", "json", "ast", "re", "tomli", "types", "selectors", "dlgovern"):
        (project / f"{module}.py").write_text(f"open({str(project / 'PLANTED')!r}, 'w').close()\n")
    for number in range(60):
        (project / f"more{number}.py").write_text(GOOD)
    code, _, _ = check(project)
    assert (1, False) == (code, (project / "PLANTED").exists())


def test_hostile_names_are_judged_and_never_printed_raw(project: Path) -> None:
    """Newlines, escapes and workflow commands in file names."""
    for name in ("a\n::error file=x::y.py", "b\x1b[31m.py", "c\u202e.py", "d%0A.py", os.fsdecode(b"e\xff.py")):
        (project / name).write_text(GOOD)
    code, report, _ = check(project)
    run = subprocess.run(
        [sys.executable, "-P", "-m", "dlgovern", "check", "."],
        cwd=project,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p.endswith("src")), "GITHUB_ACTIONS": "true"},
        check=False,
    )
    assert (1, 6) == (code, len([one for one in report["findings"] if one["rule"] == "DLG502"]))  # type: ignore[index, attr-defined]
    assert b"\x1b" not in run.stdout
    assert [] == [line for line in run.stdout.split(b"\n") if line.strip().startswith(b"::")]


def test_mutants_of_real_code_never_crash(tmp_path: Path) -> None:
    """Bytes flipped, cut, doubled and shuffled in a legacy training script, seeded."""
    corpus = sorted((Path(__file__).parent.parent / "corpus").rglob("*.py"))
    dice = random.Random(7)
    count = int(os.environ.get("DLGOVERN_MUTANTS", "150"))
    for number in range(count):
        source = bytearray(dice.choice(corpus).read_bytes() if corpus else GOOD.encode() * 20)
        for _ in range(dice.randrange(1, 6)):
            at = dice.randrange(max(1, len(source)))
            kind = dice.randrange(4)
            if kind == 0:
                source[at : at + 1] = bytes([dice.randrange(256)])
            elif kind == 1:
                del source[at : at + dice.randrange(1, 80)]
            elif kind == 2:
                source[at:at] = source[at : at + dice.randrange(1, 200)]
            else:
                source[at:at] = dice.choice([b"(", b"'''", b"\\", b"\n\t", b"f'{", b"\xff", b"async ", b"lambda:"])
        (tmp_path / f"m{number:05}.py").write_bytes(bytes(source))
    code, report, errors = check(tmp_path, timeout=600)
    assert "Traceback" not in errors
    assert [] == report["not_judged"]
    assert code in (0, 1)
    assert [] == [one for one in report["rules_not_run"] if str(one["why"]).startswith("failed")]  # type: ignore[index, attr-defined]
