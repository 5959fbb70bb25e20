"""Scripts: which commands they run, with which words, at which places."""

from __future__ import annotations

import pytest

from dlgovern.evidence.shell import read_shell


def words(text: str, **more) -> list[list[str]]:
    return [[word.text for word in command.words] for command in read_shell(text, **more).commands]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a 'b c' \"d e\" f\\ g", [["a", "b c", "d e", "f g"]]),
        ("a \\\n  b \\\n  # no comment behind a continued line ends it\nc", [["a", "b"], ["c"]]),
        ("a;b&&c||d|e&f", [["a"], ["b"], ["c"], ["d"], ["e"], ["f"]]),
        ("a > log 2>&1 < in", [["a"]]),
        ("A=1 B=2 a", [["a"]]),
        ("if a; then b; else c; fi", [["a"], ["b"], ["c"]]),
        ("while read x; do b; done", [["read", "x"], ["b"]]),
        ("case $1 in\n x) a;;\n *) b;;\nesac\nc", [["a"], ["b"], ["c"]]),
        ("f() { a; }\nf", [["a"], ["f"]]),
        ("function f { a; }", [["a"]]),
        ("(cd x && a)", [["cd", "x"], ["a"]]),
        ("a $(b c) d", [["a", "$(b c)", "d"]]),
        ("a `b c` d", [["a", "`b c`", "d"]]),
        ("a # b\nc", [["a"], ["c"]]),
        ("a#b", [["a#b"]]),
        ("cat <<EOF\nnot a command\nEOF\na", [["cat"], ["a"]]),
        ("bash <<'EOF'\nb c\nEOF\na", [["bash"], ["b", "c"], ["a"]]),
        ("cat <<EOF > job.sbatch\nsrun a\nEOF", [["cat"], ["srun", "a"]]),
        ("a ${{ matrix.gpu }} b", [["a", "${{ matrix.gpu }}", "b"]]),
        ("a {{ x }} b", [["a", "{{ x }}", "b"]]),
        ('a "unclosed', [["a", "unclosed"]]),
    ],
)
def test_commands_and_their_words(text, expected):
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("N=8\na $N ${N} \"$N\" '$N'", ["a", "8", "8", "8", "$N"]),
        ("N=8\nO=\"--n $N --m 2\"\na $O", ["a", "--n", "8", "--m", "2"]),
        ("O=\"--n 8\"\na \"$O\"", ["a", "--n 8"]),
        ("O=(--n 8 'a b')\na ${O[@]}", ["a", "--n", "8", "a b"]),
        ("O=(--n 8)\na \"${O[@]}\"", ["a", "--n", "8"]),
        ("C=\"run me\"\n$C now", ["run", "me", "now"]),
        ("C=\"run me\"\neval $C", ["run", "me"]),
        ("P=/x\na $P/y.py", ["a", "/x/y.py"]),
    ],
)
def test_variables_of_the_same_script_are_filled_in(text, expected):
    assert words(text)[-1] == expected


@pytest.mark.parametrize(
    "text",
    [
        "a $N", "N=1\nN=2\na $N", "N=${1:-8}\na $N", "N=${N:-8}\na $N", "if x; then N=1; fi\na $N", "for N in 1 2; do a $N; done",
        "N=1\nread N\na $N", "f() { N=1; }\na $N", "N=$(b)\na $N", "A=$B\nB=$A\na $A", "N+=1\na $N",
    ],
)
def test_what_only_a_run_can_tell_is_not_known(text):
    command = next(c for c in read_shell(text).commands if c.words[0].text == "a")

    assert [word.known for word in command.words] == [True, False]


def test_values_that_grow_without_end_are_not_known():
    text = "".join(f'A{n}="$A{n - 1} $A{n - 1} $A{n - 1}"\n' for n in range(1, 40)) + "A0=xxxxxxxx\na $A39"

    assert len(words(text)[-1]) < 30_000


def test_places_are_exact():
    command = read_shell("\n  srun \\\n    torchrun  a.py\n").commands[0]

    assert [word[2:] for word in command.words] == [(2, 3, 2, 7), (3, 5, 3, 13), (3, 15, 3, 19)]
    assert command[2:6] == (2, 3, 3, 19)


def test_directives_of_a_scheduler():
    script = read_shell("#!/bin/bash\n#SBATCH --nodes=2 -n 16\n#SBATCH --exclusive # all\n##SBATCH -t 1\na")

    assert [(d.name, d.value, d.line, d.column) for d in script.directives] == [
        ("nodes", "2", 2, 9), ("ntasks", "16", 2, 19), ("exclusive", "", 3, 9),
    ]


def test_what_is_exported():
    script = read_shell("A=1\nexport B=2\nC=3\nexport C\nD=4 a\ndeclare E=5")

    assert {s.name: s.exported for s in script.settings} == {"A": False, "B": True, "C": True, "D": True, "E": False}


def test_make_has_its_own_dollars():
    assert words("a $(N) $$HOME", make=True, known={"N": "8"}) == [["a", "8", "$HOME"]]
