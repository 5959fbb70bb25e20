"""Repairing from the command line: what is shown, what is written, and how it ends."""

from __future__ import annotations

import json

import pytest

from dlgovern.cli.main import main

BAD = b"import torch  # \xc3\xa9\r\nstate = torch.load('a.pt', weights_only=False)  # keep\r\n"
GOOD = BAD.replace(b"weights_only=False", b"weights_only=True")
RENAMED = "from functorch import vmap\ntwice = vmap(abs)\n"


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "dlgovern.toml").write_text("")
    (tmp_path / "requirements.txt").write_text("torch==2.13.0\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> int:
    return main([*words, "--no-cache"])


def test_a_diff_writes_nothing_and_ends_with_one(project, capfdbinary):
    (project / "a.py").write_bytes(BAD)
    assert run("check", "a.py", "--diff", "--unsafe-fixes") == 1
    said = capfdbinary.readouterr().out
    assert b"+state = torch.load('a.pt', weights_only=True)  # keep\r\n" in said
    assert (project / "a.py").read_bytes() == BAD


def test_a_diff_of_nothing_ends_with_zero_although_there_are_findings(project, capfdbinary):
    (project / "a.py").write_bytes(BAD)
    assert run("fix", "a.py", "--diff") == 0
    assert capfdbinary.readouterr().out == b""


def test_what_is_not_safe_is_repaired_only_when_asked_for(project):
    (project / "a.py").write_bytes(BAD)
    assert run("fix", "a.py") == 1
    assert (project / "a.py").read_bytes() == BAD
    assert run("fix", "a.py", "--unsafe-fixes") == 0
    assert (project / "a.py").read_bytes() == GOOD


def test_check_with_fix_repairs_and_reports_what_is_left(project, capsys):
    (project / "a.py").write_text(f"{RENAMED}import torch\nstate = torch.load('a.pt', weights_only=False)\n")
    assert run("check", "a.py", "--fix", "--output-format", "json") == 1
    said = capsys.readouterr()
    assert [one["rule"] for one in json.loads(said.out)["findings"]] == ["DLG502"]
    assert said.err == "repaired a.py: DLG606\nrepaired 1 finding in 1 file\n"
    assert (project / "a.py").read_text().splitlines()[0] == "from torch.func import vmap"


def test_a_second_run_changes_nothing(project, capsys):
    (project / "a.py").write_text(RENAMED)
    assert run("fix", "a.py") == 0
    after = (project / "a.py").read_bytes()
    capsys.readouterr()
    assert run("fix", "a.py") == 0
    assert capsys.readouterr().err == "repaired 0 findings in 0 files\n"
    assert (project / "a.py").read_bytes() == after


def test_repairs_that_overlap_are_made_in_rounds(project):
    (project / "a.py").write_text("from torch.cuda.amp import autocast, GradScaler\nwith autocast():\n    s = GradScaler()\n")
    assert run("fix", "a.py") == 0
    assert (project / "a.py").read_text() == (
        "from torch.amp import GradScaler\nfrom torch.amp import autocast\n"
        'with autocast("cuda"):\n    s = GradScaler("cuda")\n'
    )


def test_a_suppressed_finding_is_not_repaired(project):
    text = "from functorch import vmap\ntwice = vmap(abs)  # dlgovern: ignore[DLG606] shared with an old torch\n"
    (project / "a.py").write_text(text)
    run("fix", "a.py")
    assert (project / "a.py").read_text() == text


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_machine_formats_carry_the_repair(project, capsys, form):
    (project / "a.py").write_bytes(BAD)
    assert run("check", "a.py", "--output-format", form) == 1
    said = json.loads(capsys.readouterr().out)
    if form == "json":
        at = BAD.index(b"False")
        assert said["findings"][0]["fix"] == {"safe": False, "edits": [{"start": at, "end": at + 5, "text": "True"}]}
    else:
        assert "fixes" in said["runs"][0]["results"][0]


def test_standard_input_is_refused(project, capsys):
    assert main(["fix", "-"]) == 2
    assert "standard input cannot be repaired" in capsys.readouterr().err


def test_a_file_that_does_not_parse_is_left(project):
    (project / "a.py").write_text("import torch\nstate = torch.load(\n")
    assert run("fix", "a.py") == 1
    assert (project / "a.py").read_text() == "import torch\nstate = torch.load(\n"


def test_a_requirement_is_renamed_with_its_line_and_comment_kept(project):
    (project / "requirements.txt").write_text("torch==2.13.0\npytorch-lightning>=2.0  # trainer\n")
    run("fix", "requirements.txt", "--select", "DLG118")
    assert "  # trainer\n" in (project / "requirements.txt").read_text()
