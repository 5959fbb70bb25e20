"""``dlgovern schema``: print the JSON Schema of a file that people write, for editors and checks of their own."""

from __future__ import annotations

import argparse
import json
import os
import pkgutil
import sys
from collections.abc import Callable
from typing import Any

from dlgovern import detect
from dlgovern.cli import exits
from dlgovern.cli.settings import KEYS
from dlgovern.detect.where import KEYS as PREDICATE_KEYS
from dlgovern.finding import CONFIDENCES, LEVELS

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_STRINGS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
_LEVEL: dict[str, Any] = {"enum": ["off", *LEVELS]}
_TABLE: dict[str, Any] = {"type": "object"}


def parser() -> argparse.ArgumentParser:
    """The command line of ``schema``."""
    made = argparse.ArgumentParser(
        prog="dlgovern schema",
        description="Print the JSON Schema of a file that people write.",
        epilog="examples:\n  dlgovern schema rule > rule.schema.json\n  dlgovern schema configuration\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("name", metavar="NAME", choices=sorted(SCHEMAS), help=", ".join(sorted(SCHEMAS)))
    return made


def run(words: list[str]) -> int:
    """Print one schema."""
    said = parser().parse_args(words)
    sys.stdout.write(text(said.name))
    return exits.CLEAN


def text(name: str) -> str:
    """A schema as it is printed and published."""
    return json.dumps(SCHEMAS[name](), indent=2, sort_keys=True) + "\n"


def stale(folder: str) -> dict[str, str | None]:
    """The files of a folder of published schemas that are not as they should be; none where there is no such folder."""
    if not os.path.isdir(folder):
        return {}
    wanted = {os.path.join(folder, f"{name}.schema.json"): text(name) for name in SCHEMAS}
    return {path: made for path, made in wanted.items() if _read(path) != made}


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


def configuration() -> dict[str, Any]:
    """``dlgovern.toml``, or the table ``[tool.dlgovern]`` of pyproject.toml."""
    return _head(
        "configuration", "dlgovern.toml, or [tool.dlgovern] in pyproject.toml",
        {"type": "object", "additionalProperties": False, "properties": {key: _setting(key) for key in KEYS}},
    )


def _setting(key: str) -> dict[str, Any]:
    wanted = KEYS[key]
    special: dict[str, dict[str, Any]] = {
        "levels": {"type": "object", "additionalProperties": _LEVEL},
        "parameters": {"type": "object", "additionalProperties": _TABLE},
        "window": {"type": "object", "additionalProperties": {"type": "string"}},
        "fail-on": {"enum": list(LEVELS)},
        "min-confidence": {"enum": list(CONFIDENCES)},
        "profile": {"type": "string"},
    }
    kinds: dict[str, dict[str, Any]] = {"a list of strings": _STRINGS, "true or false": {"type": "boolean"}, "a string": {"type": "string"}}
    found = special.get(key) or kinds.get(wanted) or (_TABLE if wanted.startswith("a table") else {})
    return {**found, "description": wanted}


def standard() -> dict[str, Any]:
    """``standard.toml``."""
    from dlgovern.standard.model import StandardFile  # pydantic comes with it

    return _head("standard", "standard.toml: profiles, scopes, windows, parameters and locks", StandardFile.model_json_schema())


def rule() -> dict[str, Any]:
    """A rule file: what every rule has, and one table named like its detector."""
    from dlgovern.standard.model import RuleFile  # as above

    made = RuleFile.model_json_schema()
    made["properties"] |= {name: _detector(name) for name in detectors()}
    made["$defs"]["predicate"] = _predicate()
    return _head("rule", "one rule of a standard", made)


def detectors() -> list[str]:
    """The shipped ways of seeing, by name."""
    names = sorted(found.name for found in pkgutil.iter_modules(detect.__path__))
    return [name for name in names if hasattr(detect.load(name), "PARAMETERS")]


def _detector(name: str) -> dict[str, Any]:
    module = detect.load(name)
    parameters = module.PARAMETERS
    return {
        "type": "object",
        "description": (module.__doc__ or "").partition("\n")[0],
        "additionalProperties": False,
        "properties": {word: {**_kind(one.kind), "description": one.help} for word, one in parameters.items()},
        "required": sorted(word for word, one in parameters.items() if one.required),
    }


def _kind(kind: str) -> dict[str, Any]:
    known: dict[str, dict[str, Any]] = {
        "names": _STRINGS,
        "strings": _STRINGS,
        "string": {"type": "string"},
        "boolean": {"type": "boolean"},
        "integer": {"type": "integer"},
        "predicates": {"type": "array", "items": {"$ref": "#/$defs/predicate"}},
        "lower": {"type": "array", "items": {"type": "object", "required": ["when"]}},
    }
    return known.get(kind, {})


def _predicate() -> dict[str, Any]:
    inner: dict[str, Any] = {"$ref": "#/$defs/predicate"}
    nested: dict[str, dict[str, Any]] = {"any": {"type": "array", "items": inner}, "not": inner}
    properties = {key: {**nested.get(key, {}), "description": text} for key, text in PREDICATE_KEYS.items()}
    return {"type": "object", "additionalProperties": False, "properties": properties}


def report() -> dict[str, Any]:
    """What ``--output-format json`` writes."""
    import dlgovern.report

    folder = os.path.dirname(dlgovern.report.__file__)
    with open(os.path.join(folder, "schema", "dlgovern-1.schema.json"), encoding="utf-8") as file:
        found: dict[str, Any] = json.load(file)
    return found


def _head(name: str, title: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "$schema": _DRAFT, "$id": f"dlgovern/{name}/1", "title": title}


SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {
    "configuration": configuration,
    "report": report,
    "rule": rule,
    "standard": standard,
}
"""Name -> the schema of that file."""
