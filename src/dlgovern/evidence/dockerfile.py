"""Read Dockerfiles and Containerfiles: stages, images, variables, and the commands that build and start them."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from dlgovern.evidence.script import Command, Setting, Word
from dlgovern.evidence.shell import read_shell
from dlgovern.evidence.words import Line, Piece, tokens

_MOST_INSTRUCTIONS = 5_000


class Stage(NamedTuple):
    """One ``FROM``. ``image`` has its variables filled in; ``known``: none of them comes from outside alone.

    ``base`` is the number of the stage that it continues, -1 for an image; ``final``: its files reach the last stage.
    """

    image: str
    known: bool
    name: str
    base: int
    final: bool
    line: int
    column: int
    end_column: int


class Dockerfile(NamedTuple):
    """What a Dockerfile says. ``copied`` are images that ``COPY --from`` names."""

    stages: tuple[Stage, ...] = ()
    copied: tuple[Stage, ...] = ()
    commands: tuple[Command, ...] = ()
    settings: tuple[Setting, ...] = ()
    arguments: dict[str, str] = {}  # noqa: RUF012 - never changed; the empty default is shared
    labels: tuple[tuple[str, str], ...] = ()  # of the image that the last stage makes, in the order of their stages


class Instruction(NamedTuple):
    """A word in capitals and what belongs to it."""

    word: str
    lines: list[Line]  # what follows the word, comments left out
    heredoc: list[list[Line]]


_DIRECTIVE = re.compile(r"#\s*(\w+)\s*=\s*(.*?)\s*$")
_WORD = re.compile(r"[ \t]*([A-Za-z]+)(?:[ \t]+|$)")
_HEREDOC = re.compile(r"<<-?\s*([\"']?)(\w+)\1")
_FLAG = re.compile(r"\s*--[a-z]+(?:=(\S*))?(?=\s|$)")
_TEMPLATE = ("{{", "{%", "<%")  # what another tool fills in
_SUBSTITUTE = re.compile(r"\$(?:(\w+)|\{(\w+)(?:(:?[-+])([^{}]*))?\})")


def read_dockerfile(text: str) -> Dockerfile:
    """What a Dockerfile says; lines that are no instruction are passed over."""
    reader = _Reader()
    for one in instructions(text)[:_MOST_INSTRUCTIONS]:
        reader.take(one)
    return reader.result()


def instructions(text: str) -> list[Instruction]:
    """The instructions of a Dockerfile in order; lines that are none are passed over."""
    lines = text.split("\n")
    escape = "\\"
    for line in lines:
        directive = _DIRECTIVE.match(line)
        if directive is None:
            break
        if directive.group(1).lower() == "escape" and directive.group(2) in ("`", "\\"):
            escape = directive.group(2)
    found: list[Instruction] = []
    index = 0
    while index < len(lines):
        match = _WORD.match(lines[index])
        if match is None:
            index += 1
            continue
        at = match.end()
        parts: list[Line] = []
        while index < len(lines):
            line = lines[index]
            index += 1
            inner = line[at:]
            if at == 0 and (line.lstrip().startswith("#") or not line.strip()):
                continue  # comments and blank lines inside an instruction are dropped
            going_on = _goes_on(inner, escape)
            body = inner.rstrip()[:-1] + "\\" if going_on else inner
            parts.append(Line(body, index, at + 1))
            at = 0
            if not going_on:
                break
        heredocs: list[list[Line]] = []
        word = match.group(1).upper()
        if word in ("RUN", "COPY", "ADD"):
            for part in list(parts):
                for _, name in _HEREDOC.findall(part.text):
                    body_lines: list[Line] = []
                    while index < len(lines) and lines[index].strip() != name:
                        body_lines.append(Line(lines[index], index + 1, 1))
                        index += 1
                    index += 1
                    heredocs.append(body_lines)
        found.append(Instruction(word, parts, heredocs))
    return found


def _goes_on(line: str, escape: str) -> bool:
    """Whether an instruction goes on below a line: one escape character at its end, not two."""
    text = line.rstrip(" \t")
    return text.endswith(escape) and not text.endswith(escape * 2)


class _Reader:
    def __init__(self) -> None:
        self.stages: list[Stage] = []
        self.copied: list[Stage] = []
        self.commands: list[Command] = []
        self.settings: list[Setting] = []
        self.outer: dict[str, str | None] = {}  # ARG before the first FROM; None: no default
        self.inner: dict[str, str | None] = {}
        self.uses: dict[int, set[int]] = {}
        self.labels: dict[int, list[tuple[str, str]]] = {}

    def take(self, one: Instruction) -> None:
        word = "".join(f"{line.text.removesuffix(chr(92))}" for line in one.lines).strip()
        if one.word == "ONBUILD":
            return
        if one.word == "FROM":
            self._from(one)
        elif one.word == "ARG":
            self._arguments(word)
        elif one.word == "ENV":
            self._environment(one)
        elif one.word == "LABEL":
            self.labels.setdefault(len(self.stages) - 1, []).extend(_labels(word))
        elif one.word in ("RUN", "CMD", "ENTRYPOINT"):
            self._commands(one)
        elif one.word in ("COPY", "ADD"):
            self._copy(one)

    def _from(self, one: Instruction) -> None:
        line = one.lines[0]
        text = " ".join(part.text.removesuffix("\\") for part in one.lines)
        at = 0
        while flag := _FLAG.match(text, at):
            at = flag.end()
        words = re.findall(r"\S+", text[at:])
        if not words:
            return
        image, known = self._fill(words[0], self.outer)
        known = known and not any(mark in words[0] for mark in _TEMPLATE)
        name = words[2] if len(words) > 2 and words[1].lower() == "as" else ""  # noqa: PLR2004 - FROM a AS b
        base = next((n for n, stage in enumerate(self.stages) if stage.name and stage.name.lower() == image.lower()), -1)
        start = text.find(words[0], at)
        column = line.column + start
        self.stages.append(Stage(image, known, name, base, False, line.line, column, column + len(words[0])))
        self.inner = {}
        if base >= 0:
            self.uses.setdefault(len(self.stages) - 1, set()).add(base)

    def _arguments(self, text: str) -> None:
        for token in tokens(text)[0]:
            if token.kind != "word":
                continue
            name, equals, _ = token.text.partition("=")
            value = "".join(p.text if p.kind == "lit" else _raw(p) for p in token.pieces)[len(name) + 1 :]
            filled, known = self._fill(value, self.inner if self.stages else self.outer)
            given = filled if equals and known else None
            if self.stages:
                self.inner[name] = given if equals else self.outer.get(name)
            else:
                self.outer[name] = given

    def _environment(self, one: Instruction) -> None:
        script = read_shell([Line(part.text, part.line, part.column) for part in one.lines], source="dockerfile")
        pairs = [*script.settings]
        if not pairs and script.commands and len(script.commands[0].words) > 1:  # ENV NAME value
            name, *rest = script.commands[0].words
            text = " ".join(word.text for word in rest)
            pairs = [Setting(name.text, text, all(w.known for w in rest), True, *name[2:4], *rest[-1][4:6])]
        for pair in pairs:
            value, known = (pair.value, pair.known) if pair.known else self._fill(pair.value, self.inner)
            self.inner[pair.name] = value if known else None
            self.settings.append(pair._replace(value=value, known=known, exported=True))

    def _commands(self, one: Instruction) -> None:
        lines = list(one.lines)
        while lines and (flag := _FLAG.match(lines[0].text)):
            lines[0] = lines[0]._replace(text=" " * flag.end() + lines[0].text[flag.end() :])
            rest = lines[0].text.strip()
            if rest in ("", "\\"):
                lines.pop(0)
            elif not rest.startswith("--"):
                break
        while lines and _FLAG.match(lines[0].text):  # the flags of a second line
            flag = _FLAG.match(lines[0].text)
            assert flag is not None
            lines[0] = lines[0]._replace(text=" " * flag.end() + lines[0].text[flag.end() :].replace("--", "  ", 0))
            if lines[0].text.strip() in ("", "\\"):
                lines.pop(0)
            elif not lines[0].text.strip().startswith("--"):
                break
        if not lines:
            return
        if lines[0].text.lstrip().startswith("["):
            self._exec(one, lines)
            return
        source = "build" if one.word == "RUN" else "start"
        known = {name: value for name, value in self.inner.items() if value is not None}
        if one.heredoc:
            script = read_shell([line for body in one.heredoc for line in body], known=known, source=source)
        else:
            script = read_shell(lines, known=known, source=source)
        self.commands += script.commands
        self.settings += script.settings

    def _exec(self, one: Instruction, lines: list[Line]) -> None:
        text = " ".join(line.text.removesuffix("\\") for line in lines)
        try:
            values = json.loads(text)
        except (ValueError, RecursionError):
            return
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values) or not values:
            return
        first, last = lines[0], lines[-1]
        place = (first.line, first.column, last.line, last.column + len(last.text.rstrip()))
        words = tuple(Word(value, True, *place) for value in values)
        source = "build" if one.word == "RUN" else "start"
        self.commands.append(Command(words, (), *place, 0, source))

    def _copy(self, one: Instruction) -> None:
        line = one.lines[0]
        match = re.search(r"--from=(\S+)", line.text)
        if match is None or not self.stages:
            return
        image, known = self._fill(match.group(1), self.outer)
        current = len(self.stages) - 1
        for number, stage in enumerate(self.stages[:-1]):
            if image.lower() == stage.name.lower() or image == str(number):
                self.uses.setdefault(current, set()).add(number)
                return
        column = line.column + match.start(1)
        self.copied.append(Stage(image, known, "", -1, True, line.line, column, column + len(match.group(1))))

    def _fill(self, text: str, values: dict[str, str | None]) -> tuple[str, bool]:
        known = True

        def fill(match: re.Match[str]) -> str:
            nonlocal known
            value = values.get(match.group(1) or match.group(2))
            if match.group(3) and match.group(3).endswith("-") and value is None:
                value = match.group(4)
            elif match.group(3) and match.group(3).endswith("+"):
                value = match.group(4) if value else ""
            if value is None:
                known = False
                return match.group()
            return value

        return _SUBSTITUTE.sub(fill, text.strip("\"'")), known

    def result(self) -> Dockerfile:
        reached: set[int] = set()
        todo = [len(self.stages) - 1] if self.stages else []
        while todo:
            number = todo.pop()
            if number not in reached:
                reached.add(number)
                todo += sorted(self.uses.get(number, ()))
        stages = tuple(stage._replace(final=number in reached) for number, stage in enumerate(self.stages))
        arguments = {name: value for name, value in self.outer.items() if value is not None}
        labels: list[tuple[str, str]] = []
        number = len(stages) - 1
        while number >= 0:
            labels[:0] = self.labels.get(number, [])
            number = stages[number].base if stages[number].base < number else -1
        return Dockerfile(stages, tuple(self.copied), tuple(self.commands), tuple(self.settings), arguments, tuple(labels))


def _labels(text: str) -> list[tuple[str, str]]:
    """``LABEL a=b "c d"=e``, or ``LABEL name value``."""
    words = ["".join(piece.text if piece.kind == "lit" else _raw(piece) for piece in token.pieces) for token in tokens(text)[0] if token.kind == "word"]
    if words and "=" not in words[0]:
        return [(words[0], " ".join(words[1:]))]
    return [(name, value) for name, equals, value in (word.partition("=") for word in words) if equals]


def _raw(piece: Piece) -> str:
    if piece.kind != "var":
        return piece.text
    return f"${{{piece.text}}}" if piece.default is None else f"${{{piece.text}:-{piece.default}}}"
