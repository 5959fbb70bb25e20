"""Every shipped rule keeps every law."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlgovern import bundled
from dlgovern.standard.docs import stale
from dlgovern.standard.laws import check_rule, open_court, proofs, trial_of
from dlgovern.standard.laws.cost import generated
from dlgovern.standard.laws.court import Court
from dlgovern.standard.read import Source, read_standard, rule_files

FOLDER = bundled.folder("rules")
FILES = rule_files(FOLDER)
LARGEST = max([generated(), *(path.read_bytes() for path in (Path(__file__).parent / "corpus").glob("**/*.py"))], key=len)


@pytest.fixture(scope="module")
def shipped() -> Source:
    return read_standard(FOLDER)


@pytest.fixture(scope="module")
def court(shipped: Source) -> Iterator[Court]:
    made = open_court([shipped])
    yield made
    made.close()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.rpartition("/")[2][:6])
def test_a_shipped_rule_finds_what_its_examples_state(path: str, shipped: Source, court: Court) -> None:
    """The laws L1 and L4 on every Python: what a syntax tree holds differs between them."""
    source = next(rule for rule in shipped.rules if rule.path == path)
    trial, unmakeable = trial_of(source, [shipped], court)

    assert [] == [*unmakeable, *proofs.places(trial, court)]


@pytest.mark.once
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.rpartition("/")[2][:6])
def test_a_shipped_rule_keeps_every_law(path: str, shipped: Source, court: Court) -> None:
    source = next(rule for rule in shipped.rules if rule.path == path)

    found = check_rule(source, [shipped], court, LARGEST)

    assert [] == [f"{one.law} [{one.example}] {one.what}" for one in found.broken]


@pytest.mark.once
@pytest.mark.skipif(not os.path.isdir(os.path.join(os.path.dirname(FOLDER), "docs", "rules")), reason="not a checkout")
def test_the_pages_of_the_rules_are_those_that_the_rules_give(shipped: Source) -> None:
    checkout = os.path.dirname(FOLDER)

    changes = stale([shipped], os.path.join(checkout, "docs", "rules"), os.path.join(checkout, "README.md"))

    assert [] == sorted(os.path.relpath(path, checkout) for path in changes), "run: dlgovern rule docs"
