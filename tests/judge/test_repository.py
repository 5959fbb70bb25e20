"""A repository as a whole: what it lacks is said once, at the file that describes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dlgovern.detect.required import judge_repository
from dlgovern.judge.repository import judge_repository as judge
from dlgovern.policy import Policy, Rule
from dlgovern.repository.view import View
from dlgovern.repository.window import Windows


def rule(**parameters: Any) -> Rule:
    return Rule(
        "ABC100", "a", "", "", "", "", "", "high", (), (), {}, "required", parameters, (), {}, "repository", "", "",
        {"": "error"}, None,
    )


def missing(root: Path, **parameters: Any) -> list[str]:
    view = View(str(root), [], Windows({}, {}))
    return [hit.slots["missing"] for _, hit in judge_repository([rule(**parameters)], view)]


def test_one_alternative_is_enough(tmp_path: Path) -> None:
    (tmp_path / "licence.TXT").write_text("MIT\n")
    assert missing(tmp_path, files=["LICENSE*|LICENCE*", "docs/CARD.md"]) == ["docs/CARD.md"]


def test_a_key_that_is_a_placeholder_is_not_set(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.a]\nowner = "TODO"\nteam = "vision"\n')
    keys = ["tool.a.owner", "tool.a.team", "tool.a.team.lead"]
    assert missing(tmp_path, keys=keys, refused="TODO") == ["tool.a.owner", "tool.a.team.lead"]


def test_a_manifest_that_cannot_be_read_sets_nothing(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b"\xff = [")
    assert missing(tmp_path, keys=["project.name"]) == ["project.name"]


def test_the_finding_stands_at_the_file_that_describes_the_repository(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    policy = Policy("p", "1", "", "", (rule(files=["LICENSE"]),), (), {}, (), {}, True, {})
    assert [result.path for result in judge(policy, str(tmp_path), ["a.py", "pyproject.toml"], Windows({}, {}))] == ["pyproject.toml"]


def test_a_detector_that_raises_is_recorded(tmp_path: Path) -> None:
    policy = Policy("p", "1", "", "", (rule(files=[1]),), (), {}, (), {}, True, {})
    assert [name for result in judge(policy, str(tmp_path), ["a.py"], Windows({}, {})) for name, _ in result.failed] == ["ABC100"]
