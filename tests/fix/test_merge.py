"""Repairs that do not touch each other are made together; each is made as a whole or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlgovern.finding import Edit, Finding, Fix, Place
from dlgovern.fix.merge import Left, merge, replace


def edit(start: int, end: int, text: str, path: str = "a.py", digest: str = "d") -> Edit:
    return Edit(path, digest, start, end, text)


def finding(rule: str, *edits: Edit) -> Finding:
    return Finding(Place("a.py"), rule, rule, "error", "high", "", fix=Fix(True, edits))


def rules(findings) -> list[str]:
    return [one.rule for one in findings]


def test_separate_repairs_are_all_taken_and_their_edits_sorted_by_file():
    later, earlier = finding("A", edit(10, 12, "x")), finding("B", edit(3, 5, "y"), edit(0, 1, "z", "b.py"))
    merged = merge([later, earlier])
    assert merged.left == ()
    assert merged.edits == {"a.py": (edit(3, 5, "y"), edit(10, 12, "x")), "b.py": (edit(0, 1, "z", "b.py"),)}


def test_of_two_that_overlap_the_first_by_position_is_taken_whatever_the_order_of_findings():
    one, two = finding("B", edit(0, 5, "x")), finding("A", edit(4, 6, "y"))
    assert merge([one, two]) == merge([two, one])
    assert rules(merge([two, one]).taken) == ["B"]
    assert merge([two, one]).left == (Left(two, "overlaps another repair"),)


def test_repairs_that_only_touch_are_both_taken():
    assert rules(merge([finding("A", edit(0, 5, "x")), finding("B", edit(5, 6, "y"))]).taken) == ["A", "B"]


def test_an_insertion_at_the_edge_of_a_replacement_is_taken_and_one_inside_is_left():
    whole = finding("A", edit(2, 6, "x"))
    assert rules(merge([whole, finding("B", edit(2, 2, "y")), finding("C", edit(6, 6, "z"))]).taken) == ["B", "A", "C"]
    assert rules(merge([whole, finding("B", edit(3, 3, "y"))]).taken) == ["A"]


def test_a_repair_with_one_edit_that_overlaps_is_left_as_a_whole():
    merged = merge([finding("A", edit(0, 5, "x")), finding("B", edit(4, 6, "y"), edit(0, 1, "z", "b.py"))])
    assert list(merged.edits) == ["a.py"]


def test_the_same_replacement_of_two_repairs_is_made_once():
    merged = merge([finding("A", edit(0, 5, "x")), finding("B", edit(0, 5, "x"), edit(7, 8, ""))])
    assert merged.edits == {"a.py": (edit(0, 5, "x"), edit(7, 8, ""))}
    assert merged.left == ()


def test_the_same_inserted_line_of_two_repairs_is_made_once():
    merged = merge(
        [finding(rule, edit(0, 0, "import os\n"), edit(at, at + 1, "")) for rule, at in (("A", 5), ("B", 8))]
    )
    assert merged.edits["a.py"] == (edit(0, 0, "import os\n"), edit(5, 6, ""), edit(8, 9, ""))


def test_the_same_bracket_inserted_by_two_repairs_is_not_one_bracket():
    merged = merge([finding(rule, edit(at, at, "f("), edit(9, 9, ")")) for rule, at in (("A", 2), ("B", 4))])
    assert (rules(merged.taken), rules(left.finding for left in merged.left)) == (["A"], ["B"])


def test_the_same_new_file_of_two_repairs_is_made_once_and_another_text_for_it_is_left():
    new = edit(0, 0, "a = 1", "n.toml", "")
    merged = merge([finding("A", new), finding("B", new, edit(0, 1, "x")), finding("C", new._replace(text="b = 2"))])
    assert (sorted(rules(merged.taken)), merged.edits["n.toml"]) == (["A", "B"], (new,))
    assert rules(left.finding for left in merged.left) == ["C"]


def test_two_insertions_at_one_place_have_no_order_so_one_is_left():
    assert rules(merge([finding("A", edit(3, 3, "x")), finding("B", edit(3, 3, "y"))]).taken) == ["A"]


def test_a_repair_made_for_other_bytes_of_the_file_is_left():
    merged = merge([finding("A", edit(0, 1, "x")), finding("B", edit(5, 6, "y", digest="other"))])
    assert merged.left[0].why == "was made for other bytes of the same file"


def test_a_repair_that_contradicts_itself_is_left():
    assert merge([finding("A", edit(0, 5, "x"), edit(4, 6, "y"))]).left[0].why == "has edits that overlap each other"


def test_a_finding_without_edits_has_nothing_to_change():
    assert merge([finding("A")]).left[0].why == "has nothing to change"


@pytest.mark.parametrize(
    "edits", [[edit(0, 9, "")], [edit(2, 1, "")], [edit(0, 2, ""), edit(1, 3, "")], [edit(-1, 1, "")]]
)
def test_spans_that_do_not_fit_are_refused(edits):
    with pytest.raises(ValueError):
        replace(b"12345678", edits, "utf_8")


def test_text_goes_in_with_the_codec_of_the_file():
    assert replace(b"a\xe9b", [edit(2, 3, "ü")], "latin_1") == b"a\xe9\xfc"


def test_text_that_the_codec_lacks_is_refused():
    with pytest.raises(ValueError):
        replace(b"ab", [edit(0, 1, "日")], "latin_1")


EDITS = st.builds(
    lambda start, length, text: edit(start, min(start + length, 30), text),
    st.integers(0, 30), st.integers(0, 6), st.sampled_from(["", "X", "YY", "L\n"]),
)  # fmt: skip
FINDINGS = st.lists(st.lists(EDITS, min_size=1, max_size=3), max_size=8).map(
    lambda lists: [finding(f"R{number}", *edits) for number, edits in enumerate(lists)]
)


@given(FINDINGS)
def test_what_is_taken_replaces_its_spans_and_nothing_else(findings):
    data = bytes(range(100, 130))
    merged = merge(findings)
    edits = merged.edits.get("a.py", ())
    after = replace(data, edits, "utf_8")
    kept = [byte for at, byte in enumerate(data) if not any(one.start <= at < one.end for one in edits)]
    assert [byte for byte in after if byte >= 100] == kept
    assert {one for each in merged.taken for one in each.fix.edits} == set(edits)


@given(FINDINGS, st.randoms())
def test_the_order_of_findings_does_not_matter_and_none_is_lost(findings, random):
    shuffled = list(findings)
    random.shuffle(shuffled)
    merged = merge(shuffled)
    assert merged == merge(findings)
    assert sorted(rules([*merged.taken, *(left.finding for left in merged.left)])) == sorted(rules(findings))


@given(FINDINGS)
def test_what_was_taken_can_be_taken_again_alone(findings):
    taken = merge(findings).taken
    assert merge(taken).taken == taken
