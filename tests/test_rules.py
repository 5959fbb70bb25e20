"""Every shipped rule keeps every law."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dlgovern import bundled
from dlgovern.standard.laws import check_rule, open_court
from dlgovern.standard.laws.court import Court
from dlgovern.standard.read import Source, read_standard, rule_files

FOLDER = bundled.folder("rules")
FILES = rule_files(FOLDER)
LARGEST = max((Path(__file__).parent / "corpus").glob("**/*.py"), key=lambda path: path.stat().st_size, default=None)


@pytest.fixture(scope="module")
def shipped() -> Source:
    return read_standard(FOLDER)


@pytest.fixture(scope="module")
def court(shipped: Source) -> Iterator[Court]:
    made = open_court([shipped])
    yield made
    made.close()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.rpartition("/")[2][:6])
def test_a_shipped_rule_keeps_every_law(path: str, shipped: Source, court: Court) -> None:
    source = next(rule for rule in shipped.rules if rule.path == path)

    found = check_rule(source, [shipped], court)

    assert [] == [f"{one.law} [{one.example}] {one.what}" for one in found.broken]


@pytest.mark.skipif(LARGEST is None or LARGEST.stat().st_size < 20_000, reason="no large file in the corpus")
def test_a_corpus_file_is_cheaper_than_the_generated_one() -> None:
    from dlgovern.standard.laws.cost import generated

    assert LARGEST is not None
    assert LARGEST.stat().st_size <= len(generated())
