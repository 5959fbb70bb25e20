"""`dlgovern verify`: promises are run for real, and evidence says what was seen."""

from __future__ import annotations

import json
import os
import time
from hashlib import sha256
from pathlib import Path

import pytest

from dlgovern.scaffold.checks import look
from dlgovern.scaffold.template import Check


@pytest.fixture
def fresh(run, tmp_path, law) -> Path:
    """A project of the newest tiny template."""
    assert 0 == run(tmp_path, "new", "one", "--standard", "law", "--template", "tiny", "--yes").returncode
    return tmp_path / "one"


def change(law: Path, old: str, new: str) -> None:
    path = law / "templates/tiny/2026.2/template.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def evidence(project: Path) -> dict:
    return json.loads((project / "evidence.json").read_text())["evidence"]


def states(project: Path) -> dict[str, str]:
    return {one["name"]: one["state"] for one in evidence(project)["promises"]}


def test_every_promise_is_kept_and_the_evidence_says_what_was_seen(run, fresh):
    ran = run(fresh, "verify", "--yes")
    said = evidence(fresh)
    assert (0, True, "tiny") == (ran.returncode, said["kept"], said["template"]["id"]), ran.stdout
    assert {"train": "kept", "stop": "kept", "resume": "kept", "check": "kept"} == states(fresh)
    resume = said["promises"][2]
    assert {"values": 12, "differing": 0, "largest_difference": 0.0} == resume["checks"][0]["measured"]
    assert (4.8e-07, "WORK/again") == (resume["checks"][1]["measured"], resume["command"][2])
    bench = sha256((fresh / "src/one/bench.py").read_bytes()).hexdigest()
    assert {"metrics.jsonl", "src/one/bench.py"} == set(said["promises"][0]["sha256"])
    assert bench == said["promises"][0]["sha256"]["src/one/bench.py"]
    assert said["versions"]["packages"]["pydantic"]


def test_runs_can_be_kept_and_are_not_mixed_with_older_ones(run, fresh, tmp_path):
    words = ("verify", "--yes", "--only", "train", "--work", "../runs")
    assert (0, True) == (run(fresh, *words).returncode, (tmp_path / "runs/whole/metrics.jsonl").is_file())
    assert (2, "WORK/whole") == (run(fresh, *words).returncode, evidence(fresh)["promises"][0]["command"][2])


def test_nothing_runs_without_consent(run, fresh):
    ran = run(fresh, "verify")
    assert (2, True, False) == (ran.returncode, "nobody agreed" in ran.stderr, (fresh / "evidence.json").exists())


def test_a_resumed_run_that_differs_in_one_bit_breaks_its_promise(run, fresh):
    bench = fresh / "src/one/bench.py"
    bench.write_text(bench.read_text().replace("1 / (3 + step)", "1 / (3 + step) + (1e-16 if first and step == 7 else 0)"))
    ran = run(fresh, "verify", "--yes", "--only", "resume")
    assert (1, {"train": "kept", "stop": "kept", "resume": "broken"}) == (ran.returncode, states(fresh))
    assert "loss differs first at step 7: 0x1." in evidence(fresh)["promises"][2]["why"]


def test_what_builds_on_a_broken_promise_is_not_run(run, fresh):
    (fresh / "src/one/bench.py").write_text("import sys\nsys.exit('no data')\n")
    ran = run(fresh, "verify", "--yes", "--only", "resume")
    assert (1, {"train": "broken", "stop": "broken", "resume": "skipped"}) == (ran.returncode, states(fresh))
    assert "| no data\n" in ran.stdout


def test_a_command_that_does_not_end_is_ended_with_its_children(run, fresh, law):
    mark = fresh / "alive"
    (fresh / "src/one/bench.py").write_text(
        "import subprocess, sys, time\nif sys.argv[1] != 'child':\n    subprocess.Popen([sys.executable, __file__, 'child'])\n"
        "    time.sleep(60)\ntime.sleep(3)\nopen('alive', 'w').close()\n"
    )
    change(law, "seconds = 60", "seconds = 1")
    ran = run(fresh, "verify", "--yes", "--only", "train")
    assert (1, "did not end within 1 seconds") == (ran.returncode, evidence(fresh)["promises"][0]["why"])
    if os.name != "nt":
        time.sleep(3)
        assert not mark.exists()


def test_a_command_that_cannot_be_started_is_not_a_finding(run, fresh, law):
    change(law, '["python", "src/', '["no-such-program", "src/')
    ran = run(fresh, "verify", "--yes", "--only", "train")
    assert (3, {"train": "impossible"}) == (ran.returncode, states(fresh))


def test_a_finding_breaks_the_promise_of_none(run, fresh):
    (fresh / "src/one/load.py").write_text("import torch\n\nstate = torch.load('a.pt', weights_only=False)\n")
    ran = run(fresh, "verify", "--yes", "--only", "check")
    assert (1, "ended with exit code 1") == (ran.returncode, evidence(fresh)["promises"][0]["why"])


def test_an_excuse_breaks_it_too(run, fresh):
    (fresh / "src/one/load.py").write_text(
        "import torch\n\nstate = torch.load('a.pt', weights_only=False)  # dlgovern: ignore[DLG502] written a minute ago\n"
    )
    ran = run(fresh, "verify", "--yes", "--only", "check")
    assert (1, "1 suppressed") == (ran.returncode, evidence(fresh)["promises"][0]["why"])


def test_an_unknown_promise_is_named(run, fresh):
    ran = run(fresh, "verify", "--yes", "--only", "trian")
    assert (2, True) == (ran.returncode, 'did you mean "train"?' in ran.stderr)


def lines(folder: Path, name: str, *values: float) -> str:
    (folder / name).write_text("".join(json.dumps({"step": step, "x": value}) + "\n" for step, value in enumerate(values)))
    return name


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ((4, 3, 2, 1), True),
        ((1, 2, 3, 4), False),
        ((1, 1, 1, 1), False),
        ((4, 3, float("nan"), 1), False),
        ((4, 3, 2), False),
    ],
)
def test_falling(tmp_path, values, kept):
    assert kept == look(Check(kind="falling", file=lines(tmp_path, "a", *values), key="x"), str(tmp_path), "").kept


@pytest.mark.parametrize(
    ("left", "right", "limit", "kept"),
    [
        ((1.0, 2.0), (1.0, 2.0), 0.0, True),
        ((1.0, 2.0), (1.0, 2.0 + 2**-51), 0.0, False),
        ((1.0, 2.0), (1.0, 2.0 + 2**-51), 1e-6, True),
        ((0.0,), (-0.0,), 0.0, False),
        ((1.0,), (1.0, 2.0), 1.0, False),
        ((), (), 0.0, False),
        ((float("nan"),), (float("nan"),), 0.0, True),
    ],
)
def test_same(tmp_path, left, right, limit, kept):
    check = Check(kind="same", file=lines(tmp_path, "a", *left), other=lines(tmp_path, "b", *right), key="x", limit=limit)
    assert kept == look(check, str(tmp_path), "").kept


@pytest.mark.parametrize(("text", "kept"), [("1e-6", True), ("1e-4", False), ("NaN", False), ("true", False), ('"0"', False), ("null", False)])
def test_at_most(tmp_path, text, kept):
    (tmp_path / "a.json").write_text(f'{{"x": {{"y": {text}}}}}')
    assert kept == look(Check(kind="at-most", file="a.json", key="x.y", limit=1e-5), str(tmp_path), "").kept


@pytest.mark.parametrize("text", ["", "{}", "[]", "not json", '{"findings": 3}'])
def test_a_report_that_is_none_is_not_clean(tmp_path, text):
    assert not look(Check(kind="clean"), str(tmp_path), text).kept
