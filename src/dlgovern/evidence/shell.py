"""Read shell scripts: the commands they run, the variables they set, the requests they make of a scheduler."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from dlgovern.evidence.words import Body, Line, Piece, Text, Token, lines_of, tokens

_MOST_COMMANDS = 20_000
_LONGEST = 20_000  # characters of one expanded value
_DEEPEST = 6  # variables inside variables, scripts inside here-documents


class Word(NamedTuple):
    """One word of a command. ``known``: no part of it depends on the run; ``text`` then is what the program gets."""

    text: str
    known: bool
    line: int
    column: int
    end_line: int
    end_column: int


class Setting(NamedTuple):
    """A variable that is set. ``exported``: child processes see it."""

    name: str
    value: str
    known: bool
    exported: bool
    line: int
    column: int
    end_line: int
    end_column: int


class Command(NamedTuple):
    """A simple command with its variables filled in; ``settings`` stand before it. The span is in the file."""

    words: tuple[Word, ...]
    settings: tuple[Setting, ...]
    line: int
    column: int
    end_line: int
    end_column: int
    branch: int = 0  # how many conditions, loops and functions stand around it
    source: str = ""  # what kind of text it stands in, "" for a script of its own


class Directive(NamedTuple):
    """One option of a scheduler in a comment: ``#SBATCH --nodes=2``. Long names without dashes, "" where it has no value."""

    name: str
    value: str
    line: int
    column: int
    end_column: int


class Script(NamedTuple):
    """What one script says."""

    commands: tuple[Command, ...] = ()
    settings: tuple[Setting, ...] = ()
    directives: tuple[Directive, ...] = ()


def read_shell(
    text: str | Iterable[Line], *, make: bool = False, known: dict[str, str] | None = None, source: str = ""
) -> Script:
    """What a script says. ``known`` are variables set outside it; ``make``: ``$(NAME)`` is one of make."""
    lines = lines_of(text) if isinstance(text, str) else list(text)
    return _Reader(lines, make, dict(known or {}), source).read(0)


_ASSIGN = re.compile(r"([A-Za-z_]\w*)(\[[^\]]*\])?(\+?)=")
_OPENERS = frozenset(("if", "while", "until", "for", "case", "select"))
_CLOSERS = frozenset(("fi", "done", "esac"))
_SKIPPED = frozenset(("if", "then", "elif", "else", "fi", "do", "done", "while", "until", "{", "}", "!", "time", "esac"))
_DECLARE = frozenset(("export", "declare", "typeset", "local", "readonly"))
_REDIRECTS = frozenset(("<", ">", ">>", ">&", "<&", "&>", "&>>", ">|", "<>", "<<", "<<-", "<<<"))
_INNER = re.compile(r"(?:\S*/)?(?:sbatch|bash|sh|srun|ssh|qsub|bsub)$")
_WRITTEN = re.compile(r"\.(?:sh|bash|sbatch|slurm)$")


class _Value(NamedTuple):
    words: tuple[tuple[Piece, ...], ...]  # several for an array
    branch: int


class _Draft(NamedTuple):
    words: list[Token]
    assigns: list[Token]
    start: int
    end: int
    branch: int
    targets: list[Token]  # of redirections
    bodies: list[int]  # offsets of here-document operators


class _Reader:
    def __init__(self, lines: list[Line], make: bool, known: dict[str, str], source: str) -> None:
        self.text = Text(lines)
        self.make = make
        self.source = source
        self.values: dict[str, list[_Value]] = {
            name: [_Value(((Piece("lit", value, True),),), 0)] for name, value in known.items()
        }
        self.exported: set[str] = set()

    def read(self, depth: int) -> Script:
        found, bodies = tokens(self.text.text, make=self.make)
        drafts = list(self._drafts(found))
        for draft in drafts:
            self._remember(draft)
        commands: list[Command] = []
        settings: list[Setting] = []
        directives: list[Directive] = [d for token in found if token.kind == "comment" for d in self._directives(token)]
        for draft in drafts[:_MOST_COMMANDS]:
            settings += self._settings(draft)
            command = self._command(draft)
            if command is not None:
                commands.append(command)
                if draft.bodies and depth < _DEEPEST:
                    inner = self._inner(draft, command, bodies, depth)
                    commands += inner.commands
                    settings += inner.settings
                    directives += inner.directives
        return Script(tuple(commands), tuple(settings), tuple(directives))

    def _inner(self, draft: _Draft, command: Command, bodies: list[Body], depth: int) -> Script:
        """A here-document that is a script: given to a shell, or written to a file that is one."""
        program = command.words[0].text if command.words else ""
        written = any(_WRITTEN.search(token.text.strip("\"'")) for token in draft.targets)
        if not (_INNER.match(program) or written):
            return Script()
        lines = [line for body in bodies if body.at in draft.bodies for line in self.text.part(body.start, body.end)]
        known = {name: text for name in self.values for text, sure in [self._one(name, 0)] if sure}
        return _Reader(lines, False, known, self.source).read(depth + 1)

    # ---- from tokens to commands

    def _drafts(self, found: list[Token]) -> Iterable[_Draft]:
        branch = 0
        index = 0
        draft = _Draft([], [], 0, 0, 0, [], [])
        after = ""  # the operator or reserved word that decides what the next word is
        while index < len(found):
            token = found[index]
            index += 1
            if token.kind == "comment":
                continue
            if token.kind == "end" or (token.kind == "op" and token.text not in _REDIRECTS):
                if token.text == "(" and draft.words and index < len(found) and found[index].text == ")":
                    draft = _fresh(branch)  # a function: its body follows
                    index += 1
                    after = ""
                    continue
                if token.text == "(" and draft.assigns and not draft.words and found[index - 2].end == token.start:
                    index = self._array(found, index, draft, branch)
                    continue
                if token.text == ")" and after == "case":
                    draft = _fresh(branch)  # a pattern
                    continue
                if draft.words or draft.assigns:
                    yield draft
                draft = _fresh(branch)
                after = "case" if after == "case" and token.text != "esac" else ""
                continue
            if token.kind == "op":
                if draft.words and draft.words[-1].end == token.start and draft.words[-1].text.isdigit():
                    draft.words.pop()  # the number of a stream
                if token.text in ("<<", "<<-"):
                    draft.bodies.append(token.start)
                if index < len(found) and found[index].kind == "word":
                    draft.targets.append(found[index])
                    index += 1
                continue
            if not draft.words and not draft.assigns and token.text in _OPENERS | _CLOSERS | _SKIPPED | {"function"}:
                branch += token.text in _OPENERS
                branch -= token.text in _CLOSERS and branch > 0
                branch += token.text == "{"
                branch -= token.text == "}" and branch > 0
                if token.text == "for":
                    index = self._loop(found, index, branch)
                elif token.text == "case":
                    index = _until(found, index, "in")
                    after = "case"
                elif token.text == "esac":
                    after = ""
                elif token.text == "function":
                    index += 1
                draft = _fresh(branch)
                continue
            if not draft.words and not draft.assigns:
                draft = draft._replace(start=token.start, branch=branch)
            draft = draft._replace(end=token.end)
            (draft.assigns if not draft.words and _ASSIGN.match(token.text) else draft.words).append(token)
        if draft.words or draft.assigns:
            yield draft

    def _loop(self, found: list[Token], index: int, branch: int) -> int:
        """The variable of a ``for`` has many values."""
        if index < len(found) and found[index].kind == "word":
            self.values.setdefault(found[index].text, []).append(_Value(((Piece("opaque", ""),),), branch + 1))
        while index < len(found) and found[index].kind != "end" and found[index].text not in (";", "do"):
            index += 1
        return index

    def _array(self, found: list[Token], index: int, draft: _Draft, branch: int) -> int:
        words: list[tuple[Piece, ...]] = []
        while index < len(found) and not (found[index].kind == "op" and found[index].text == ")"):
            if found[index].kind == "word":
                words.append(found[index].pieces)
            index += 1
        match = _ASSIGN.match(draft.assigns[-1].text)
        if match:
            self.values.setdefault(match.group(1), []).append(_Value(tuple(words), branch + bool(match.group(3))))
        draft.assigns.pop()
        return index + 1

    def _remember(self, draft: _Draft) -> None:
        """Keep what a command assigns, and forget what it makes unknowable."""
        program = draft.words[0].text if draft.words else ""
        alone = not draft.words
        for token in [*draft.assigns, *(draft.words[1:] if program in _DECLARE else ())]:
            match = _ASSIGN.match(token.text)
            if match is None:
                if program == "export":
                    self.exported.add(token.text)
                continue
            if alone or program in _DECLARE:
                joined = bool(match.group(2) or match.group(3))
                value = _Value((_behind(token, match.end()),), draft.branch + 2 * joined)
                self.values.setdefault(match.group(1), []).append(value)
            if program == "export":
                self.exported.add(match.group(1))
        if program in ("read", "getopts", "mapfile", "readarray", "unset"):
            for token in draft.words[1:]:
                self.values.setdefault(token.text, []).append(_Value(((Piece("opaque", ""),),), 9))

    # ---- values

    def _known(self, name: str) -> _Value | None:
        values = self.values.get(name, ())
        first = next(iter(values), None)
        if first is None or first.branch or any(value.words != first.words for value in values):
            return None
        return first

    def _one(self, name: str, depth: int) -> tuple[str, bool]:
        """The text of a variable, and whether it is known."""
        value = self._known(name)
        if value is None or depth > _DEEPEST or len(value.words) > 1:
            return f"${name}", False
        words = self._expand(value.words[0], depth + 1, split=False) if value.words else [("", True)]
        return words[0] if words else ("", True)

    def _expand(self, pieces: tuple[Piece, ...], depth: int = 0, *, split: bool = True) -> list[tuple[str, bool]]:
        """The words that one written word becomes: a variable without quotes is split at blanks."""
        done: list[tuple[str, bool]] = []
        text, sure, begun = "", True, False
        for piece in pieces:
            if piece.kind == "lit":
                text, begun = text + piece.text, begun or bool(piece.text) or piece.quoted
                continue
            parts = self._filled(piece, depth, split and not piece.quoted)
            for number, (part, known) in enumerate(parts):
                if number:
                    done.append((text, sure))
                    text, sure = "", True
                text, sure, begun = text + part, sure and known, True
            if len(text) > _LONGEST:
                return [*done, (text[:80], False)]
        return [*done, (text, sure)] if begun or done else []

    def _filled(self, piece: Piece, depth: int, split: bool) -> list[tuple[str, bool]]:
        if piece.kind == "opaque":
            return [(piece.text, False)]
        value = self._known(piece.text)
        if value is None or depth > _DEEPEST:
            return [(f"${piece.text}", False)]
        if len(value.words) != 1:
            return [w for word in value.words for w in self._expand(word, depth + 1)] if split or piece.quoted else []
        if not split:
            return [self._one(piece.text, depth)]
        words: list[tuple[str, bool]] = []
        glue = False
        for inner in value.words[0]:
            if inner.kind == "lit":
                parts = [(part, True) for part in inner.text.split()]
                lead = inner.text[:1].isspace()
                trail = inner.text[-1:].isspace()
            else:
                parts = self._filled(inner, depth + 1, True)
                lead = trail = False
            if parts and words and glue and not lead:
                words[-1] = (words[-1][0] + parts[0][0], words[-1][1] and parts[0][1])
                parts = parts[1:]
            words += parts
            glue = bool(words) and not trail if inner.text or inner.kind != "lit" else glue
            if len(words) > _LONGEST // 10:
                return [(f"${piece.text}", False)]
        return words

    # ---- commands and settings

    def _command(self, draft: _Draft) -> Command | None:
        words: list[Word] = []
        for token in draft.words:
            place = (*self.text.place(token.start), *self.text.place(token.end))
            words += [Word(text, known, *place) for text, known in self._expand(token.pieces)]
            if len(words) > _LONGEST:
                break
        if words and words[0].text == "eval":
            words = [Word(text, w.known, *w[2:]) for w in words[1:] for text in w.text.split()]
        if not words:
            return None
        before = tuple(s for token in draft.assigns for s in self._setting(token, True))
        place = (*self.text.place(draft.start), *self.text.place(draft.end))
        return Command(tuple(words), before, *place, draft.branch, self.source)

    def _settings(self, draft: _Draft) -> Iterable[Setting]:
        program = draft.words[0].text if draft.words else ""
        if not draft.words:
            for token in draft.assigns:
                name = token.text.partition("=")[0]
                yield from self._setting(token, name in self.exported)
        else:
            for token in draft.assigns:
                yield from self._setting(token, True)
            if program in _DECLARE or program == "env":
                for token in draft.words[1:]:
                    yield from self._setting(token, program in ("export", "env"))

    def _setting(self, token: Token, exported: bool) -> Iterable[Setting]:
        match = _ASSIGN.match(token.text)
        if match is None or match.group(2) or match.group(3):
            return
        words = self._expand(_behind(token, match.end()), split=False)
        text, known = words[0] if words else ("", True)
        yield Setting(match.group(1), text, known, exported, *self.text.place(token.start), *self.text.place(token.end))

    def _directives(self, token: Token) -> Iterable[Directive]:
        match = _SBATCH.match(token.text)
        if match is None:
            return
        line, column = self.text.place(token.start)
        rest = match.group(1)
        found = list(_OPTION.finditer(rest.split(" #")[0]))
        for option in found:
            name = option.group(1).lstrip("-")
            value = (option.group(2) or "").strip().strip("\"'")
            at = column + match.start(1) + option.start()
            yield Directive(SHORT.get(name, name) if len(name) == 1 else name, value, line, at, at + len(option.group().rstrip()))


_SBATCH = re.compile(r"#SBATCH\s+(.*\S)\s*$")
_OPTION = re.compile(r"(?<!\S)(--[a-z][\w-]*|-[A-Za-z])(?:[= ]?[ ]*((?!-)\S+))?")
SHORT = {
    "A": "account", "B": "extra-node-info", "C": "constraint", "D": "chdir", "G": "gpus", "J": "job-name", "N": "nodes",
    "c": "cpus-per-task", "d": "dependency", "e": "error", "i": "input", "n": "ntasks", "o": "output", "p": "partition",
    "q": "qos", "t": "time", "w": "nodelist", "x": "exclude", "a": "array",
}
"""Short options of sbatch and srun."""


def _fresh(branch: int) -> _Draft:
    return _Draft([], [], 0, 0, branch, [], [])


def _until(found: list[Token], index: int, word: str) -> int:
    while index < len(found) and found[index].kind != "end":
        index += 1
        if found[index - 1].text == word:
            break
    return index


def _behind(token: Token, count: int) -> tuple[Piece, ...]:
    """The pieces of a word without its first ``count`` characters, which are plain."""
    left = count
    rest: list[Piece] = []
    for piece in token.pieces:
        if left and piece.kind == "lit" and not piece.quoted:
            taken = min(left, len(piece.text))
            left -= taken
            if taken < len(piece.text):
                rest.append(piece._replace(text=piece.text[taken:]))
        else:
            rest.append(piece)
    return tuple(rest)
