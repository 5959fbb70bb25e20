"""A compiled policy is remembered while its sources are the same; whatever is wrong with the memory is a miss."""

from __future__ import annotations

import pytest

from dlgovern.errors import ConfigurationError, StandardError
from dlgovern.standard.law import load_policy
from dlgovern.store import Store


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "cache"))


def test_a_remembered_policy_equals_the_compiled_one(folder, rule, store):
    path = str(folder(**{"ACM501_loud-load": rule()}))

    assert load_policy(path, ".", "defects", store) == load_policy(path, ".", "defects", store)


@pytest.mark.parametrize("bytes_", [b"", b"{", b"[]", b'{"format": 1}', b'{"format": 99}', b"null", b"\xff", b'"x"'])
def test_a_corrupt_entry_is_a_miss(bytes_, folder, rule, store, tmp_path):
    path = str(folder(**{"ACM501_loud-load": rule()}))
    wanted = load_policy(path, ".", "defects", store)
    for entry in (tmp_path / "cache").iterdir():
        entry.write_bytes(bytes_)

    assert wanted == load_policy(path, ".", "defects", store)


def test_a_changed_rule_is_compiled_again(folder, rule, store):
    path = folder(**{"ACM501_loud-load": rule()})
    before = load_policy(str(path), ".", "defects", store)
    (path / "ACM501-loud-load.toml").write_text(rule().replace("is loud", "is very loud"))

    after = load_policy(str(path), ".", "defects", store)

    assert ("{call} is loud", "{call} is very loud") == (before.rules[0].message, after.rules[0].message)


def test_a_standard_that_extends_itself_is_refused(folder, head, rule, store):
    path = folder(head.replace("[standard]", '[standard]\nextends = "../standard"'), **{"ACM501_loud-load": rule()})

    with pytest.raises(StandardError) as caught:
        load_policy(str(path), ".", "defects", store)

    assert "extends itself" in caught.value.lines()[0]


def test_a_standard_that_is_not_there_is_told(store, tmp_path):
    with pytest.raises(ConfigurationError, match="there is no standard 'nowhere'"):
        load_policy("nowhere", str(tmp_path), "defects", store)
