"""Hostile names and answers, a thousand at night: each is refused with nothing written, or makes a project in which everything parses."""

from __future__ import annotations

import ast
import json
import os
import random
import shlex
import subprocess
from pathlib import Path

import pytest
import tomli

from dlgovern.errors import UserError
from dlgovern.scaffold.answers import questions, settle
from dlgovern.scaffold.load import choose, open_standard, places, read_template
from dlgovern.scaffold.project import make
from dlgovern.scaffold.render import FILTERS, Renderer, Text, Unrenderable

STANDARD = Path(__file__).resolve().parent / "standard"
FULL = bool(os.environ.get("DLGOVERN_FULL"))
COUNT = 1000 if FULL else 300
"""A thousand in `.ci/nightly`."""

PIECES = [
    *("..", "../x", "../../etc/passwd", "/etc/passwd", "a/../../b", "..\\x", "C:\\x", "\\\\host\\share", "~", "~root", "a/b", ".", "./a", "/"),
    *("'", '"', "'''", '"""', "\\", "\\\\", "\\n", "\\'", '\\"', "`", "``", "'\"'"),
    *("\n", "\r", "\r\n", "\t", "\0", "\x1b[31m", "\x7f", "\x85", "\u2028", "\u2029", "\u202e", "\u200b", "\ufeff", "\ud800", "\U000e0041"),
    *("ü", "日本", "🚀", "ﬁ", "İ", "ß", "e\u0301", "עברית", "\u00a0", "\u3000", "\u115f"),
    *("<@ 7 * 7 @>", "<@ name @>", "<% for x in range(9) %>", "<# x", "@>", "%>", "{{ 7 * 7 }}", "{% raw %}", "${{ secrets.TOKEN }}", "{0}", "%s", "%(x)s"),
    *("$(touch x)", "`touch x`", "$HOME", "; touch x", "&& touch x", "| sh", "> x", "!!", "*", "?", "[a]", "#", " #", "--", "-rf", "$"),
    *(": ", "- x", "!!python/object:x", "&a", "*a", "|", ">", "yes", "no", "null", "~", "0x10", "1e3", "0777", "1_000", "2026-01-01", "=", "]]", "[[x]]", "}"),
    *("<script>", "-->", "<!--", "]]>", "&amp;", "@here", "::set-output name=x::y", "##[error]x", "http://x", "www.x", "#12", "|---|"),
    *("class", "import", "None", "match", "_", "torch", "json", "types", "con", "NUL", "aux.txt", "com1", "test", "src", ".git", ".hidden", "-x", "x.", " x", "x ", ""),
]  # fmt: skip


def word(chosen: random.Random) -> str:
    """Something that no careful person would type."""
    kind = chosen.random()
    if kind < 0.4:
        return chosen.choice(PIECES)
    if kind < 0.9:
        return "".join(chosen.choice([*PIECES, "a", "b c", "D"]) for _ in range(chosen.randint(2, 5)))
    return chosen.choice(["a", "ß", '"', "/", "\\"]) * chosen.choice([64, 200, 300, 5000])


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def demand_parses(path: str, data: bytes) -> None:
    """Every file that a machine reads can be read by it."""
    text = data.decode("utf-8")
    if path.endswith(".py"):
        ast.parse(text)
    elif path.endswith(".toml") or path == "dlgovern.lock":
        tomli.loads(text)
    elif path.endswith(".json"):
        json.loads(text)


@pytest.fixture(scope="module")
def scripts():
    """Shell texts that were made, each once; all are read by bash at the end."""
    found: set[str] = set()
    yield found
    for text in found:
        done = subprocess.run(["bash", "-n"], input=text.encode(), capture_output=True, check=False)
        assert 0 == done.returncode, done.stderr


@pytest.mark.once
@pytest.mark.parametrize("part", range(4))
def test_hostile_names_and_answers_through_the_command(run, tmp_path, part, scripts):
    chosen = random.Random(part)
    made = refused = 0
    for _ in range(COUNT // 4):
        folder = tmp_path / f"at{made + refused}"
        folder.mkdir()
        name = word(chosen) if chosen.random() < 0.4 else "one"
        said = {}
        for key in chosen.sample(["title", "owner", "precision", "launchers", "nodes", "since", "package", "name", "no such"], chosen.randint(1, 3)):
            said[key] = word(chosen) if key not in ("package", "name") or chosen.random() < 0.3 else "two"
        if set(said) & {"title", "owner"} and chosen.random() < 0.6:  # most of these can be had
            said = {key: value for key, value in said.items() if key in ("title", "owner")}
            name = "one"
        words = [word for key, value in said.items() for word in ("--set", f"{key}={value}")]
        ran = run(folder, "new", "--standard", str(STANDARD), "--template", "tiny", "--yes", *words, "--", name)
        assert ran.returncode in (0, 2), (name, said, ran.stderr)
        assert ran.stderr.isprintable() or all(line.isprintable() for line in ran.stderr.splitlines())
        if ran.returncode == 2:
            refused += 1
            assert (set(), True) == (files(folder), "nothing was " in ran.stderr or "usage:" in ran.stderr), (name, said)
            continue
        made += 1
        (target,) = os.listdir(folder)
        assert target == os.path.basename(name.rstrip("/"))
        for path in (folder / target).rglob("*"):
            assert not path.is_symlink()
            if path.is_file():
                demand_parses(path.name, path.read_bytes())
                if path.suffix in (".sh", ".sbatch"):
                    scripts.add(path.read_text())
        answers = tomli.loads((folder / target / "dlgovern.lock").read_text())["answers"]
        project = tomli.loads((folder / target / "pyproject.toml").read_text())["project"]
        tree = ast.parse((folder / target / "src" / answers["package"] / "train.py").read_text())
        (title,) = (ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "TITLE")
        assert {said.get("title", "A model")} == {answers["title"], project["description"], title}
    assert (True, True) == (made > COUNT // 50, refused > COUNT // 50), (made, refused)


def _shipped() -> list[str]:
    return sorted(identity for identity, _ in places(open_standard("reference", ".")) if not identity.startswith("_"))


@pytest.mark.once
@pytest.mark.parametrize("identity", sorted(set(_shipped())))
def test_hostile_answers_to_a_shipped_template(identity, scripts):
    standard = open_standard("reference", ".")
    known = places(standard)
    template = read_template(known, choose(known, identity))
    asked = [question.name for question in questions(template)]
    free = [question.name for question in questions(template) if question.type == "str" and not question.pattern]
    chosen = random.Random(7)
    made = 0
    for turn in range(150 if FULL else 50):
        keys = free if turn % 2 else asked
        said = {key: word(chosen) for key in chosen.sample(keys, min(len(keys), chosen.randint(1, 2)))}
        try:
            answers = settle(template, {"name": "one", **said})
        except UserError as error:
            assert error.lines()
            continue
        made += 1
        for path, one in make(template, answers, standard.facts()).items():
            demand_parses(path, one.data)
            if path.endswith((".sh", ".sbatch")):
                scripts.add(one.data.decode())
    assert made > 10


@pytest.mark.parametrize("place", ["toml", "yaml", "json", "python", "shell"])
def test_a_filter_gives_back_what_went_in(place):
    chosen = random.Random(11)
    yaml = pytest.importorskip("yaml") if place == "yaml" else None
    for _ in range(300):
        text = "".join(char for char in word(chosen) if char.isprintable())
        shown = FILTERS[place](Text(text))
        if place == "toml":
            assert {"x": text} == tomli.loads(f"x = {shown}\n")
        elif place == "yaml":
            assert {"x": text, "y": 1} == yaml.safe_load(f"x: {shown}\ny: 1\n")
        elif place == "json":
            assert text == json.loads(shown)
        elif place == "python":
            assert text == ast.literal_eval(shown)
        else:
            assert [text] == shlex.split(shown)
        assert "\n" not in shown


def test_a_docstring_filter_keeps_the_string_closed():
    chosen = random.Random(13)
    for _ in range(300):
        text = "".join(char for char in word(chosen) if char.isprintable())
        shown = FILTERS["docstring"](Text(text))
        assert text == ast.literal_eval(f'"""{shown}"""')


ESCAPES = {
    "a class": "<@ ''.__class__ @>",
    "a class by filter": "<@ '' | attr('__class__') @>",
    "subclasses": "<@ [].__class__.__base__.__subclasses__() @>",
    "a format string": "<@ '{0.__class__}'.format(1) @>",
    "a format by name": "<@ '{x.__class__}'.format_map({'x': 1}) @>",
    "a global of jinja": "<@ cycler.__init__.__globals__ @>",
    "the namespace": "<@ namespace() @>",
    "lipsum": "<@ lipsum() @>",
    "the template itself": "<@ self.__init__ @>",
    "the environment": "<@ self._TemplateReference__context.environment @>",
    "a list that is changed": "<% set x = [] %><@ x.append(1) @>",
    "a file outside": '<% include "../../../etc/passwd" %>',
    "an absolute file": '<% include "/etc/passwd" %>',
    "a very long string": "<@ 'x' * 10 ** 9 @>",
    "a very long list": "<@ ([1] * 100000000) | length @>",
    "a large power": "<@ 9 ** 9 ** 9 @>",
    "an endless range": "<% for x in range(10 ** 9) %><% endfor %>",
    "a formatted width": "<@ '%1000000000d' % 1 @>",
    "nested lists": "<% for a in range(9999) %><% for b in range(9999) %>xxxxxxxxxx<% endfor %><% endfor %>",
    "an unknown name": "<@ nobody @>",
    "an unknown key": "<@ known.nobody @>",
    "nothing": "<@ none @>",
    "free text without a filter": "<@ free @>",
    "a list without a filter": "<@ [1, 2] @>",
    "a truth without a filter": "<@ true @>",
}


@pytest.mark.parametrize("name", ESCAPES)
def test_templates_are_data_only(name):
    with pytest.raises(Unrenderable):
        Renderer({"known": {"a": 1}, "free": Text("x")}, {"part": "p"}).text(ESCAPES[name])


def test_what_other_languages_write_needs_no_escaping():
    text = "[[tool.x]]\na = [[1, 2], [3]]\n[[ $# -eq 0 ]] && echo ${{ secrets.X }} {{ .Values.y }} {% x %} {# y #} $(z) <a@b.c>\n"
    assert text == Renderer({}).text(text)


def test_an_unrenderable_text_says_on_which_line():
    with pytest.raises(Unrenderable) as caught:
        Renderer({}).text("a\nb\n<@ nobody @>\n")
    assert (3, "'nobody' is undefined") == (caught.value.line, caught.value.why)
