"""Whatever a repository calls its files and writes into them, no format lets it speak for us."""

from __future__ import annotations

import json
import random
import re

import pytest

from dlgovern.finding import Edit, Fix, NotJudged, Place, Related, RuleNotRun
from dlgovern.report.formats import FORMATS, render, step_summary
from dlgovern.report.options import Options

ROUNDS = 100  # of five findings each, times every format
PIECES = (
    *"\n\r\t\0\x1b\x07\x7f\x85\x9b\x9d\u200b\u2028\u2029\u202e\u2066\ufeff\u3164\ufe0f\xad",
    *("\udcff", "\ud83d", "\udcc2\udc9b", "\ud83d\ude42", "🙂", "重", "e\u0301", "\U000e0041", "\U0010ffff", "\uffff"),
    *("::error file=x,line=1::owned", "::add-mask::a", "::stop-commands::t", "##[error]owned", "##[", "##vso[task]"),
    *("\x1b[2J", "\x1b]8;;https://evil.example\x07", "\x1bP", "\r\n::group::"),
    *("%0A", "%", "%25", ":", ",", "|", "`", "```", "<script>alert(1)</script>", "]]>", "&#10;", "@torvalds", "#1"),
    *(
        "](https://evil.example)",
        "https://evil.example",
        "\\",
        '"',
        "'",
        "{0}",
        "{x}",
        "$(x)",
        "../",
        "/",
        " ",
        "  ",
        "a",
    ),
)


def hostile(dice):
    return "".join(dice.choices(PIECES, k=dice.randint(1, 6)))


def hostile_report(seed, make_report, make_finding, make_rule, root):
    dice = random.Random(seed)

    def line():
        return hostile(dice)

    def place(path):
        return Place(path, dice.randint(0, 9), dice.randint(0, 60), dice.randint(0, 9), dice.randint(0, 60), line())

    report = make_report()
    (root / "src/train.py").write_bytes("\n".join(line() for _ in range(8)).encode("utf-8", "surrogatepass"))
    findings = [
        make_finding(
            place=place(path),
            rule=dice.choice(("DLG201", line())),
            name=line(),
            level=dice.choice(("info", "warning", "error")),
            confidence=dice.choice(("low", "medium", "high")),
            message=line(),
            instead=dice.choice((line(), f"{line()}:\n\n{line()}\n{line()}", "")),
            related=tuple(Related(place(line()), line()) for _ in range(dice.randint(0, 2))),
            fix=dice.choice((None, Fix(safe=True, edits=(Edit(line(), "", 0, 0, line()),)))),
            state=dice.choice(("open", "open", "open", "suppressed", "waived", "baselined")),
            because=dice.choice(("", line())),
        )
        for path in ("src/train.py", line(), line(), line(), line())
    ]
    rule = make_rule(
        name=line(), summary=line(), why=line(), instead=line(), limits=line(), references=(line(),), tags=(line(),)
    )
    return report._replace(
        findings=tuple(findings),
        not_judged=(NotJudged(line(), line()),),
        failed=(RuleNotRun(line(), line()),),
        rules_not_run=(RuleNotRun(line(), line()),),
        version=line(),
        standard={"name": line(), "version": line(), "fingerprint": line()},
        profile=line(),
        noqa=1,
        rules={"DLG201": rule},
    )


def outputs(report):
    """Every format in every mood, with our own colours taken out."""
    for verbosity in (-1, 0, 1):
        text = render("text", report, Options(verbosity=verbosity, color=True))
        yield f"text {verbosity}", re.sub(r"\x1b\[[\d;]*m", "", text)
    for name in FORMATS:
        yield name, render(name, report, Options(excused=True))
    yield "summary", step_summary("github", report, Options())


@pytest.fixture(params=range(ROUNDS))
def hostile_outputs(request, make_report, make_finding, make_rule, tmp_path):
    return dict(outputs(hostile_report(request.param, make_report, make_finding, make_rule, tmp_path)))


def test_nothing_hostile_reaches_an_output(hostile_outputs):
    ours = {"github": ("::error ", "::warning ", "::notice ")}
    faults = [
        (name, line)
        for name, output in hostile_outputs.items()
        for line in output.split("\n")
        if not line.replace("\u200b", "").isprintable()
        or "##[" in line
        or (line.lstrip().startswith("::") and not line.startswith(ours.get(name, "\n")))
    ]
    assert faults == []


def test_every_command_is_one_that_we_gave(hostile_outputs):
    commands = [line for line in hostile_outputs["github"].split("\n") if line.startswith("::")]
    pattern = re.compile(
        r"::(error|warning|notice) "
        r"file=[^:,]*(,line=\d+,endLine=\d+(,col=\d+,endColumn=\d+)?)?,title=[^:,]*::.*"
    )
    assert [line for line in commands if not pattern.fullmatch(line)] == []


def test_every_percent_sign_of_a_command_is_an_escape(hostile_outputs):
    commands = [line for line in hostile_outputs["github"].split("\n") if line.startswith("::")]
    assert [line for line in commands if re.search("%(?!25|0A|3A|2C)", line)] == []


def test_every_document_is_valid(hostile_outputs, json_schema, sarif_schema):
    document, log = (json.loads(hostile_outputs[name]) for name in ("json", "sarif"))
    assert [*json_schema.iter_errors(document), *sarif_schema.iter_errors(log)] == []


def test_every_document_can_be_encoded(hostile_outputs):
    for output in hostile_outputs.values():
        assert output.encode("utf-8").decode("utf-8") == output


def test_markdown_has_no_markup_of_theirs(hostile_outputs):
    summary = hostile_outputs["summary"]
    assert re.findall(r"(?<!\\)[`<*_\[]|@\w|://", summary) == []


def test_every_row_of_a_table_has_its_cells(hostile_outputs):
    widths = {
        len(re.findall(r"(?<!\\)(?:\\\\)*\|", line))
        for line in hostile_outputs["summary"].split("\n")
        if line.startswith("|")
    }
    assert widths <= {3, 5}
