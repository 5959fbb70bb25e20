"""What code scanning reads: valid SARIF 2.1.0 within GitHub's limits."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from urllib.parse import unquote

import pytest

from dlgovern.finding import Edit, Fix, Place, Related
from dlgovern.report import sarif
from dlgovern.report.linehash import line_hashes
from dlgovern.report.options import Options


@pytest.fixture
def run_of(sarif_schema):
    """The one run of a report's log, which is valid."""

    def run_of(report, **options):
        document = json.loads(sarif.render(report, Options(**options)))
        assert list(sarif_schema.iter_errors(document)) == []
        (run,) = document["runs"]
        return run

    return run_of


def uri_of(result):
    return result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]


def test_a_full_report_is_valid(run_of, full_report):
    assert len(run_of(full_report)["results"]) == 5


def test_a_result_points_at_its_place_and_rule(run_of, make_report, make_finding):
    branch = Related(Place("src/train.py", 6, 5, 6, 17), "only rank 0 comes here")
    run = run_of(make_report(make_finding(related=(branch,))))
    region = {"startLine": 7, "startColumn": 9, "endLine": 7, "endColumn": 30}
    artifact = {"uri": "src/train.py", "uriBaseId": "%SRCROOT%"}
    (result,) = run["results"]
    del result["partialFingerprints"]
    assert result == {
        "ruleId": "DLG201",
        "ruleIndex": 0,
        "level": "error",
        "message": {"text": "`dist.all_reduce` is reached by rank 0 only"},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": artifact, "region": region},
                "logicalLocations": [{"fullyQualifiedName": "train"}],
            }
        ],
        "properties": {"confidence": "high"},
        "relatedLocations": [
            {
                "id": 1,
                "physicalLocation": {
                    "artifactLocation": artifact,
                    "region": {"startLine": 6, "startColumn": 5, "endLine": 6, "endColumn": 17},
                },
                "message": {"text": "only rank 0 comes here"},
            }
        ],
    }


def test_a_rule_carries_its_help(run_of, make_report, make_finding):
    (rule,) = run_of(make_report(make_finding()))["tool"]["driver"]["rules"]
    assert rule == {
        "id": "DLG201",
        "name": "collective-on-some-ranks",
        "shortDescription": {"text": "A collective that only some ranks reach"},
        "fullDescription": {"text": "The other ranks wait until the timeout, ten minutes with NCCL."},
        "help": {
            "text": "Why:\nThe other ranks wait until the timeout, ten minutes with NCCL.\n\n"
            "Instead:\nMove the collective out of the branch.\n\n"
            "What it does not see:\nBranches on values from a file.\n\n"
            "References:\n- https://docs.pytorch.org/docs/stable/distributed.html",
            "markdown": "**Why**\n\nThe other ranks wait until the timeout, ten minutes with NCCL.\n\n"
            "**Instead**\n\nMove the collective out of the branch.\n\n"
            "**What it does not see**\n\nBranches on values from a file.\n\n"
            "**References**\n\n- https://docs.pytorch.org/docs/stable/distributed.html",
        },
        "defaultConfiguration": {"enabled": True, "level": "error"},
        "properties": {"precision": "high", "problem.severity": "error", "tags": ["distributed", "correctness"]},
        "helpUri": "https://docs.pytorch.org/docs/stable/distributed.html",
    }


def test_every_rule_index_points_at_its_rule(run_of, full_report, make_rule):
    run = run_of(full_report._replace(rules={"DLG503": make_rule("DLG503"), "DLG999": make_rule("DLG999")}))
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [rules[result["ruleIndex"]] for result in run["results"]] == [r["ruleId"] for r in run["results"]]
    assert rules == ["DLG101", "DLG201", "DLG310", "DLG503", "DLG999"]


def test_a_rule_that_is_off_is_disabled(run_of, make_report, make_rule):
    (rule,) = run_of(make_report(rules={"X": make_rule("X", levels={"": "off"})}))["tool"]["driver"]["rules"]
    assert rule["defaultConfiguration"] == {"enabled": False, "level": "none"}


def test_a_rule_has_twenty_tags_at_most(run_of, make_report, make_rule):
    tags = tuple(f"tag-{number}" for number in range(30))
    (rule,) = run_of(make_report(rules={"X": make_rule("X", tags=tags)}))["tool"]["driver"]["rules"]
    assert rule["properties"]["tags"] == ["distributed", *tags[:19]]


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("src/a b.py", "src/a%20b.py"),
        ("größe.py", "gr%C3%B6%C3%9Fe.py"),
        ("c:evil.py", "c%3Aevil.py"),
        ("100%.py", "100%25.py"),
        ("a?b#c.py", "a%3Fb%23c.py"),
        ("a\nb\x1b.py", "a%0Ab%1B.py"),
        ("bytes\udcff.py", "bytes%FF.py"),
        ("half\ud800.py", "half%5Cud800.py"),
        ("[x].py", "%5Bx%5D.py"),
    ],
)
def test_a_path_is_percent_encoded(run_of, make_report, make_finding, path, uri):
    (result,) = run_of(make_report(make_finding(path)))["results"]
    assert uri_of(result) == uri


def test_a_path_outside_the_root_is_absolute(run_of, make_report, make_finding):
    (result,) = run_of(make_report(make_finding("/etc/dlgovern.toml")))["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "file:///etc/dlgovern.toml"}


def test_paths_count_from_the_repository(run_of, make_report, make_finding):
    (result,) = run_of(make_report(make_finding()), prefix="team a/")["results"]
    assert unquote(uri_of(result)) == "team a/src/train.py"


def test_a_fingerprint_is_the_one_of_github(run_of, make_report, make_finding, tmp_path):
    report = make_report(make_finding())
    (result,) = run_of(report)["results"]
    expected = line_hashes((tmp_path / "src/train.py").read_text(), [7])[7]
    assert result["partialFingerprints"] == {"primaryLocationLineHash": expected}


def test_findings_without_a_readable_line_are_told_apart_and_stay_the_same(run_of, make_report, make_finding):
    findings = [make_finding("gone.pt"), make_finding("gone.pt", message="another"), make_finding("gone.pt")]
    runs = [run_of(make_report(*found)) for found in (findings, findings[1:])]
    before, after = ([r["partialFingerprints"]["primaryLocationLineHash"] for r in run["results"]] for run in runs)
    assert (len(set(before)), before[1]) == (3, after[0])


def test_a_repair_is_a_replacement_of_characters(run_of, make_report, make_finding, tmp_path):
    report = make_report()
    data = "\ufeff# é\r\nx = 'ü', f(1)\r\n".encode()
    (tmp_path / "a.py").write_bytes(data)
    digest, at = hashlib.sha256(data).hexdigest(), data.index(b"1")
    edits = (Edit("a.py", digest, at, at + 1, "two"), Edit("a.py", digest, 3, 3, "#!"))
    report = report._replace(findings=(make_finding("a.py", fix=Fix(safe=True, edits=edits)),))
    (result,) = run_of(report)["results"]
    (fix,) = result["fixes"]
    assert fix["description"] == {"text": "Repair (safe)"}
    assert fix["artifactChanges"] == [
        {
            "artifactLocation": {"uri": "a.py", "uriBaseId": "%SRCROOT%"},
            "replacements": [
                {
                    "deletedRegion": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1},
                    "insertedContent": {"text": "#!"},
                },
                {
                    "deletedRegion": {"startLine": 2, "startColumn": 12, "endLine": 2, "endColumn": 13},
                    "insertedContent": {"text": "two"},
                },
            ],
        }
    ]


def test_a_repair_may_create_a_file(run_of, make_report, make_finding):
    fix = Fix(safe=True, edits=(Edit("LICENSE", "", 0, 0, "Apache-2.0\n"),))
    (result,) = run_of(make_report(make_finding("LICENSE", fix=fix)))["results"]
    (change,) = result["fixes"][0]["artifactChanges"]
    assert change["replacements"][0]["deletedRegion"] == {
        "startLine": 1,
        "startColumn": 1,
        "endLine": 1,
        "endColumn": 1,
    }


@pytest.mark.parametrize(("digest", "start", "end"), [("0" * 64, 0, 1), ("", 0, 0), (None, 0, 10**6)])
def test_a_repair_of_a_file_that_has_changed_is_left_out(
    run_of, make_report, make_finding, tmp_path, digest, start, end
):
    report = make_report()
    digest = hashlib.sha256((tmp_path / "src/train.py").read_bytes()).hexdigest() if digest is None else digest
    fix = Fix(safe=True, edits=(Edit("src/train.py", digest, start, end, "x"),))
    (result,) = run_of(report._replace(findings=(make_finding(fix=fix),)))["results"]
    assert "fixes" not in result


def test_excused_findings_come_only_on_request(run_of, make_report, make_finding):
    report = make_report(make_finding(state="suppressed", because="why"), make_finding(state="waived", because="W-7"))
    excused = run_of(report, excused=True)["results"]
    assert run_of(report)["results"] == []
    assert [result["suppressions"] for result in excused] == [
        [{"kind": "inSource", "status": "accepted", "justification": "why"}],
        [{"kind": "external", "status": "accepted", "justification": "W-7"}],
    ]


def test_what_was_not_judged_makes_the_run_unsuccessful(run_of, full_report):
    (invocation,) = run_of(full_report)["invocations"]
    texts = [note["message"]["text"] for note in invocation["toolExecutionNotifications"]]
    assert (invocation["executionSuccessful"], texts) == (
        False,
        ["Not judged: larger than 1 MB (41 MB)", "DLG227 did not run: IndexError: tuple index out of range"],
    )


def test_a_message_cannot_carry_a_link(run_of, make_report, make_finding):
    (result,) = run_of(make_report(make_finding(message="see [docs](https://evil.example)")))["results"]
    assert result["message"]["text"] == "see [docs] (https://evil.example)"


def test_a_long_message_is_cut_and_says_so(run_of, make_report, make_finding):
    (result,) = run_of(make_report(make_finding(message="x" * 5000)))["results"]
    assert result["message"]["text"] == "x" * 1009 + "... (truncated)"


def test_the_worst_results_stay_where_there_are_too_many(run_of, make_report, make_finding, monkeypatch):
    monkeypatch.setattr(sarif, "MOST_RESULTS", 2)
    levels = ("info", "error", "warning", "error")
    run = run_of(make_report(*(make_finding(level=level) for level in levels)))
    assert [result["level"] for result in run["results"]] == ["error", "error"]
    assert run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"].startswith("2 results left out")


def test_the_file_fits_when_compressed(make_report, make_finding, monkeypatch):
    monkeypatch.setattr(sarif, "MOST_BYTES", 20_000)
    dice = random.Random(0)
    report = make_report(*(make_finding(message=dice.randbytes(200).hex()) for _ in range(300)))
    text = sarif.render(report, Options())
    kept = len(json.loads(text)["runs"][0]["results"])
    assert (len(gzip.compress(text.encode())) <= 20_000, 0 < kept < 300) == (True, True)
