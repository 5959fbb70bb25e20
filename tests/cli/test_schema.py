"""The schemas of the files that people write say what the readers of these files say."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import tomli

from dlgovern import bundled
from dlgovern.cli.main import main
from dlgovern.cli.schema import SCHEMAS, detectors, text
from dlgovern.standard.read import rule_files

ROOT = Path(__file__).resolve().parents[2]
RULES = Path(bundled.folder("rules"))


def valid(name: str, value: object) -> bool:
    return jsonschema.Draft202012Validator(SCHEMAS[name]()).is_valid(value)


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_the_published_schema_is_the_printed_one(name, capsys):
    assert 0 == main(["schema", name])
    assert (ROOT / "docs" / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8") == capsys.readouterr().out, (
        f"run: dlgovern schema {name} > docs/schemas/{name}.schema.json"
    )


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_a_schema_is_a_schema(name):
    jsonschema.Draft202012Validator.check_schema(json.loads(text(name)))


def test_every_shipped_rule_is_valid():
    validator = jsonschema.Draft202012Validator(SCHEMAS["rule"]())
    wrong = {}
    for path in rule_files(str(RULES)):
        errors = [error.message for error in validator.iter_errors(tomli.loads((RULES / path).read_text(encoding="utf-8")))]
        if errors:
            wrong[path] = errors
    assert {} == wrong


def test_the_shipped_standard_is_valid():
    assert valid("standard", tomli.loads((RULES / "standard.toml").read_text(encoding="utf-8")))


def test_our_own_configuration_is_valid():
    assert valid("configuration", tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["dlgovern"])


@pytest.mark.parametrize(
    ("name", "value"),
    (
        ("configuration", {"selct": ["DLG5"]}),
        ("configuration", {"fail-on": "never"}),
        ("configuration", {"levels": {"DLG502": "fatal"}}),
        ("standard", {"schema": 1}),
        ("rule", {"id": "DLG502"}),
    ),
)
def test_a_mistake_is_invalid(name, value):
    assert not valid(name, value)


def test_an_unknown_parameter_of_a_detector_is_invalid():
    rule = tomli.loads((RULES / "exports" / "DLG502-unsafe-torch-load.toml").read_text(encoding="utf-8"))
    assert valid("rule", rule)
    assert not valid("rule", {**rule, "call": {**rule["call"], "nams": []}})
    assert not valid("rule", {**rule, "call": {"where": []}})


def test_the_detectors_of_all_rules_are_described():
    used = {tomli.loads((RULES / path).read_text(encoding="utf-8"))["detect"] for path in rule_files(str(RULES))}
    assert set() == used - set(detectors())
