"""Read the test inputs of packaging and pip with our readers and with theirs; print agreement and every disagreement.

``requirement_cases.py PACKAGING PIP``: checkouts of pypa/packaging and pypa/pip, which are read in place. The cases are
the texts of their tests about requirements, and the requirements files of their test data.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from pip._internal.req.req_file import (
    ParsedLine,
    get_line_parser,
    preprocess,
)
from pip._vendor.packaging.requirements import Requirement as PipRequirement

from dlgovern.evidence.requirements import read_requirements
from dlgovern.evidence.specifiers import At, requirement
from dlgovern.evidence.values import normal

_AT = At("", "requirements.txt", 1, 1, 2)
_LONGEST = 2_000
_PLACE = "an address or a path"


def main() -> int:
    """Print both comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packaging", type=Path)
    parser.add_argument("pip", type=Path)
    said = parser.parse_args()
    tests = [*sorted((said.packaging / "tests").glob("test_*.py")), *sorted((said.pip / "tests" / "unit").glob("test_req*.py"))]
    wrong = lines(sorted({text for path in tests for text in texts(path) if "\n" not in text}))
    files = [path for path in sorted((said.pip / "tests" / "data").rglob("*.txt")) if "req" in path.name.lower()]
    contents = [(str(path.relative_to(said.pip)), path.read_bytes().decode("utf-8", "replace")) for path in files]
    functional = [path for path in sorted((said.pip / "tests").rglob("test_*.py")) if re.search("req|install", path.name)]
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - its parser of options prints how it is used
    contents += [
        (f"{path.relative_to(said.pip)}: a text", text)
        for path in functional
        for text in sorted(set(texts(path)))
        if "\n" in text and re.search(r"^\s*(?:-[rceif] |--[a-z-]+url|[\w.-]+\s*(?:[<>=~!]=|$))", text, re.M) and "import " not in text
    ]
    return 1 if wrong + whole(contents) else 0


def texts(path: Path) -> Iterator[str]:
    """Every text in a test file."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and 0 < len(node.value) < _LONGEST:
            yield node.value


def lines(cases: list[str]) -> int:
    """Compare what one text says: packaging takes it and so do we, with the same parts."""
    count: Counter[str] = Counter()
    for text in cases:
        theirs = _theirs(text)
        ours = requirement(text, _AT)
        if theirs is None:
            count["packaging refuses, we read something looser" if ours else "both refuse"] += 1
            continue
        mine = ours and (ours.name, ours.extras, SpecifierSet(ours.specifier or ""), ours.marker, ours.url)
        if mine == theirs:
            count["both accept, alike"] += 1
        else:
            count["differ"] += 1
            print(f"differ: {text!r}\n  packaging {theirs}\n  ours      {mine}")
    print(f"one text each, {len(cases)} cases: {dict(count)}")
    return count["differ"]


def _theirs(text: str) -> tuple[object, ...] | None:
    try:
        found = Requirement(text)
    except (InvalidRequirement, ValueError, RecursionError):
        return None
    extras = tuple(sorted(normal(extra) for extra in found.extras))
    return normal(found.name), extras, found.specifier, str(found.marker or ""), found.url or ""


def whole(cases: list[tuple[str, str]]) -> int:
    """Compare requirements files line by line: which requirement, option or include stands on it."""
    count: Counter[str] = Counter()
    for name, text in cases:
        theirs = _of_pip(text)
        if theirs is None:
            count["pip refuses the file"] += 1
            continue
        ours = _of_ours(text)
        if ours == theirs:
            count["alike"] += 1
            count["entries of these"] += len(theirs)
        else:
            count["differ"] += 1
            print(f"differ: {name}\n  pip  {sorted(theirs - ours)}\n  ours {sorted(ours - theirs)}")
    print(f"files, {len(cases)} cases: {dict(count)}")
    return count["differ"]


def _of_pip(text: str) -> set[tuple[str, str]] | None:
    parser = get_line_parser(None)
    found: set[tuple[str, str]] = set()
    try:
        for number, line in preprocess(text):
            arguments, options = parser(line)
            parsed = ParsedLine("requirements.txt", number, arguments, options, False)
            if parsed.requirement is not None:
                name = _named(parsed.requirement)
                if name == _PLACE and not re.match(r"[\w+]+:|[./~\\]|\S+[/\\]\S", parsed.requirement):
                    return None  # pip refuses it when it comes to install
                found.add(("requirement", name))
            else:
                for kind, values in (
                    ("include", options.requirements), ("include", options.constraints), ("index-url", [options.index_url]),
                    ("extra-index-url", options.extra_index_urls), ("find-links", options.find_links),
                    ("trusted-host", options.trusted_hosts),
                ):  # fmt: skip
                    found |= {(kind, value) for value in values or () if value}
    except BaseException as error:  # noqa: BLE001 - its parser of options exits
        if isinstance(error, KeyboardInterrupt):
            raise
        return None
    return found


def _named(text: str) -> str:
    try:
        return normal(PipRequirement(text).name)
    except ValueError:
        return _PLACE


def _of_ours(text: str) -> set[tuple[str, str]]:
    manifest = read_requirements(text, "requirements.txt")
    found = {("requirement", one.name if not one.url or "@" in one.raw.partition("://")[0] else _PLACE) for one in manifest.requirements}
    found |= {("include", one.target) for one in manifest.includes}
    return found | {(one.kind, one.url) for one in manifest.indexes if one.url}


if __name__ == "__main__":
    sys.exit(main())
