"""Merging TOML by key: laws that hold for every three versions, and the cases that a merge by line gets wrong."""

from __future__ import annotations

import random
import textwrap
from typing import Any

import pytest
import tomli

from dlgovern.scaffold.render import toml
from dlgovern.scaffold.tomlmerge import merge_toml

pytestmark = pytest.mark.once

LABEL = "template 2026.2"
PACKAGES = ["torch", "numpy", "einops", "safetensors", "onnx", "tqdm", "Pillow"]
KEYS = ["name", "line-length", "select", "strict", "a b", "dotted.key", "version"]


def value(chosen: random.Random, key: str) -> Any:
    if key == "select":
        return chosen.sample(["E", "F", "I", "UP", "D"], chosen.randint(0, 4))
    return chosen.choice([1, 2, 3.5, True, "x", "y z", 'q"', ["a", ["b"]], {"k": 1}, {"k": 2, "l": [1]}])


def document(chosen: random.Random) -> dict[str, Any]:
    """A project's configuration as somebody may write it."""
    packages = [f"{name}>={chosen.randint(1, 3)}" for name in chosen.sample(PACKAGES, chosen.randint(0, 5))]
    made: dict[str, Any] = {"project": {"name": "x", "dependencies": packages}}
    for tool in chosen.sample(["ruff", "mypy", "uv", "dlgovern"], chosen.randint(0, 3)):
        keys = chosen.sample(KEYS, chosen.randint(0, 4))
        made.setdefault("tool", {})[tool] = {key: value(chosen, key) for key in keys}
    if chosen.random() < 0.6:
        modules = chosen.sample(["a", "b", "c", "d"], chosen.randint(1, 3))
        made.setdefault("tool", {}).setdefault("mypy", {})["overrides"] = [{"module": m, "strict": chosen.random() < 0.5} for m in modules]
    return made


def changed(chosen: random.Random, base: dict[str, Any]) -> dict[str, Any]:
    """The document with parts of another one."""
    other = document(chosen)
    made = {key: dict(item) for key, item in base.items()}
    for top in ("project", "tool"):
        for key, item in other.get(top, {}).items():
            if chosen.random() < 0.5:
                made.setdefault(top, {})[key] = item
        for key in list(made.get(top, {})):
            if chosen.random() < 0.1:
                del made[top][key]
    return {key: item for key, item in made.items() if item}


def written(chosen: random.Random, data: dict[str, Any]) -> bytes:
    """The data as TOML, in one of the ways people write it."""
    out = []
    for top, tables in data.items():
        if top == "project":
            out.append("[project]")
            for key, item in tables.items():
                if isinstance(item, list) and item and chosen.random() < 0.7:
                    inner = "".join(f"    {toml(one)},{'  # why' if chosen.random() < 0.2 else ''}\n" for one in item)
                    out.append(f"{toml_key(key)} = [\n{inner}]")
                else:
                    out.append(f"{toml_key(key)} = {toml(item)}")
            continue
        for name, table in tables.items():
            plain = {key: item for key, item in table.items() if key != "overrides"}
            out += ["", f"[tool.{name}]" + ("  # ours" if chosen.random() < 0.2 else "")]
            out += [f"{toml_key(key)} = {toml(item)}" for key, item in plain.items()]
            for one in table.get("overrides", []):
                out += ["", f"[[tool.{name}.overrides]]", *(f"{key} = {toml(item)}" for key, item in one.items())]
    return ("\n".join(out) + "\n").encode()


def toml_key(key: str) -> str:
    return key if key.replace("-", "").isalnum() else toml(key)


@pytest.fixture(scope="module")
def cases() -> list[tuple[bytes, bytes, bytes]]:
    found = []
    for seed in range(80):
        chosen = random.Random(seed)
        base = document(chosen)
        found.append(tuple(written(chosen, one) for one in (base, changed(chosen, base), changed(chosen, base))))
    return found


def data(text: bytes) -> dict[str, Any]:
    return tomli.loads(text.decode())


def test_nothing_changes_where_the_template_did_not(cases):
    for base, yours, _ in cases:
        assert yours == merge_toml(base, yours, base, LABEL).data


def test_everything_comes_where_you_changed_nothing(cases):
    for base, _, theirs in cases:
        merged = merge_toml(base, base, theirs, LABEL)
        assert (order_of_items_aside(data(theirs)), []) == (order_of_items_aside(data(merged.data)), merged.clashes)


def test_the_same_change_on_both_sides_is_none(cases):
    for base, yours, _ in cases:
        merged = merge_toml(base, yours, yours, LABEL)
        assert (data(yours), []) == (data(merged.data), merged.clashes)


def test_it_always_parses_and_merging_again_changes_nothing(cases):
    for base, yours, theirs in cases:
        merged = merge_toml(base, yours, theirs, LABEL)
        assert merged is not None
        again = merge_toml(theirs, merged.data, theirs, LABEL)
        assert merged.data == again.data


def test_a_clash_is_noted_once_and_each_side_can_be_chosen(cases):
    noted = 0
    for base, yours, theirs in cases:
        merged = merge_toml(base, yours, theirs, LABEL)
        assert len(merged.clashes) == merged.data.count(b"# dlgovern: conflict: ")
        noted += len(merged.clashes)
        for side in ("ours", "theirs"):
            chosen = merge_toml(base, yours, theirs, LABEL, side)
            assert ([], 0) == (chosen.clashes, chosen.data.count(b"# dlgovern: conflict: "))
    assert noted > 10


def test_what_only_you_have_stays(cases):
    for base, yours, theirs in cases:
        before, mine, merged = data(base), data(yours), data(merge_toml(base, yours, theirs, LABEL).data)
        for name, table in mine.get("tool", {}).items():
            for key, item in table.items():
                if key not in before.get("tool", {}).get(name, {}) and key not in data(theirs).get("tool", {}).get(name, {}):
                    assert item == merged["tool"][name][key]


def order_of_items_aside(value: Any) -> Any:
    """Lists whose items have names may come in another order."""
    if isinstance(value, dict):
        return {key: order_of_items_aside(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted(repr(order_of_items_aside(item)) for item in value)
    return value


def merge(base: str, yours: str, theirs: str, side: str = "marker") -> str:
    texts = [textwrap.dedent(text).encode() for text in (base, yours, theirs)]
    found = merge_toml(*texts, LABEL, side)
    return found.data.decode()


def test_a_note_stands_above_the_value_inside_a_list():
    base, yours, theirs = ('dependencies = [\n    "torch>=2.1",\n    "numpy",\n]\n'.replace("2.1", v) for v in ("2.1", "2.2", "2.3"))
    assert merge(base, yours, theirs) == (
        "dependencies = [\n"
        '    # dlgovern: conflict: dependencies.0: template 2026.2 says "torch>=2.3"; yours is below\n'
        '    "torch>=2.2",\n'
        '    "numpy",\n'
        "]\n"
    )


def test_packages_are_the_same_however_they_are_spelt():
    found = merge('dependencies = ["Foo.Bar>=1"]\n', 'dependencies = ["mine", "Foo.Bar>=1"]\n', 'dependencies = ["foo-bar>=2"]\n')
    assert ["mine", "foo-bar>=2"] == tomli.loads(found)["dependencies"]


def test_one_package_for_two_systems_is_two():
    base = """dependencies = ["torch>=2; sys_platform == 'linux'", "torch>=2; sys_platform == 'darwin'"]\n"""
    theirs = base.replace("torch>=2; sys_platform == 'linux'", "torch>=2.5; sys_platform == 'linux'")
    yours = base.replace("torch>=2; sys_platform == 'darwin'", "torch>=2,<3; sys_platform == 'darwin'")
    assert ["torch>=2.5; sys_platform == 'linux'", "torch>=2,<3; sys_platform == 'darwin'"] == tomli.loads(merge(base, yours, theirs))["dependencies"]


def test_what_you_deleted_stays_deleted():
    assert "a = 1\n" == merge("a = 1\nb = 1\n", "a = 1\n", "a = 1\nb = 2\n")


def test_what_the_template_removed_stays_where_you_changed_it():
    assert "a = 1\nb = 3\n" == merge("a = 1\nb = 1\n", "a = 1\nb = 3\n", "a = 1\n")


def test_comments_of_both_sides_are_kept_where_lines_merge():
    base = "a = 1\n\n\n\nb = 1\n"
    assert "# mine\na = 1\n\n\n\n# theirs\nb = 2\n" == merge(base, base.replace("a =", "# mine\na ="), base.replace("b = 1", "# theirs\nb = 2"))


@pytest.mark.parametrize("text", [b"a = ", b"\xff", b"a = 1\na = 2\n"])
def test_what_is_no_toml_is_left_to_the_merge_by_line(text):
    assert merge_toml(b"a = 1\n", text, b"a = 2\n", LABEL) is None
