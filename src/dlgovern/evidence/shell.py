"""Read shell scripts: the commands they run, the variables they set, the requests they make of a scheduler."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from dlgovern.evidence.script import Command, Script, Setting, Word, directives
from dlgovern.evidence.variables import LONGEST, Value, Variables, behind
from dlgovern.evidence.words import Body, Line, Piece, Text, Token, lines_of, tokens

_MOST_COMMANDS = 20_000
_DEEPEST = 6  # scripts inside here-documents


def read_shell(
    text: str | Iterable[Line], *, make: bool = False, known: dict[str, str] | None = None, source: str = ""
) -> Script:
    """What a script says. ``known`` are variables set outside it; ``make``: ``$(NAME)`` is one of make."""
    lines = lines_of(text) if isinstance(text, str) else list(text)
    return _Reader(lines, make, dict(known or {}), source).read(0)


_ASSIGN = re.compile(r"([A-Za-z_]\w*)(\[[^\]]*\])?(\+?)=")
_DEFAULT = re.compile(r"\"?\$\{([A-Za-z_]\w*):?=(.*)\}\"?$", re.S)
_OPENERS = frozenset(("if", "while", "until", "for", "case", "select"))
_CLOSERS = frozenset(("fi", "done", "esac"))
_SKIPPED = frozenset(("if", "then", "elif", "else", "fi", "do", "done", "while", "until", "{", "}", "!", "time", "esac"))
_DECLARE = frozenset(("export", "declare", "typeset", "local", "readonly"))
_REDIRECTS = frozenset(("<", ">", ">>", ">&", "<&", "&>", "&>>", ">|", "<>", "<<", "<<-", "<<<"))
_INNER = re.compile(r"(?:\S*/)?(?:sbatch|bash|sh|srun|ssh|qsub|bsub)$")
_WRITTEN = re.compile(r"\.(?:sh|bash|sbatch|slurm)$")


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
        self.variables = Variables(known)
        self.exported: set[str] = set()

    def read(self, depth: int) -> Script:
        found, bodies = tokens(self.text.text, make=self.make)
        drafts = list(self._drafts(found))
        for draft in drafts:
            self._remember(draft)
        commands: list[Command] = []
        settings: list[Setting] = []
        found_directives = [d for token in found if token.kind == "comment" for d in directives(token.text, *self.text.place(token.start))]
        for draft in drafts[:_MOST_COMMANDS]:
            settings += self._settings(draft)
            command = self._command(draft)
            if command is not None:
                commands.append(command)
                if draft.bodies and depth < _DEEPEST:
                    inner = self._inner(draft, command, bodies, depth)
                    commands += inner.commands
                    settings += inner.settings
                    found_directives += inner.directives
        targets = (token for draft in drafts for token in draft.targets)
        written = [text for token in targets for text, _ in self.variables.expand(token.pieces, split=False)]
        return Script(tuple(commands), tuple(settings), tuple(found_directives), tuple(dict.fromkeys(written)))

    def _inner(self, draft: _Draft, command: Command, bodies: list[Body], depth: int) -> Script:
        """A here-document that is a script: given to a shell, or written to a file that is one."""
        program = command.words[0].text if command.words else ""
        written = any(_WRITTEN.search(token.text.strip("\"'")) for token in draft.targets)
        if not (_INNER.match(program) or written):
            return Script()
        lines = [line for body in bodies if body.at in draft.bodies for line in self.text.part(body.start, body.end)]
        known = {name: text for name in self.variables.values for text, sure in [self.variables.one(name)] if sure}
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
            self.variables.add(found[index].text, Value(((Piece("opaque", ""),),), branch + 1))
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
            self.variables.add(match.group(1), Value(tuple(words), branch + bool(match.group(3))))
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
                value = Value((behind(token, match.end()),), draft.branch + 2 * joined)
                self.variables.add(match.group(1), value)
            if program == "export":
                self.exported.add(match.group(1))
        if program in ("read", "getopts", "mapfile", "readarray", "unset"):
            for token in draft.words[1:]:
                self.variables.add(token.text, Value(((Piece("opaque", ""),),), 9))

    # ---- commands and settings

    def _command(self, draft: _Draft) -> Command | None:
        words: list[Word] = []
        for token in draft.words:
            place = (*self.text.place(token.start), *self.text.place(token.end))
            words += [Word(text, known, *place) for text, known in self.variables.expand(token.pieces)]
            if len(words) > LONGEST:
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
            if program == ":":  # : ${NAME:=value}
                for token in draft.words[1:]:
                    yield from self._default(token)
            if program in _DECLARE or program == "env":
                for token in draft.words[1:]:
                    yield from self._setting(token, program in ("export", "env"))

    def _default(self, token: Token) -> Iterable[Setting]:
        match = _DEFAULT.match(token.text)
        if match is not None:
            place = (*self.text.place(token.start), *self.text.place(token.end))
            yield Setting(match.group(1), match.group(2).strip("\"'"), False, False, *place)

    def _setting(self, token: Token, exported: bool) -> Iterable[Setting]:
        match = _ASSIGN.match(token.text)
        if match is None or match.group(2) or match.group(3):
            return
        words = self.variables.expand(behind(token, match.end()), split=False)
        text, known = words[0] if words else ("", True)
        yield Setting(match.group(1), text, known, exported, *self.text.place(token.start), *self.text.place(token.end))


def _fresh(branch: int) -> _Draft:
    return _Draft([], [], 0, 0, branch, [], [])


def _until(found: list[Token], index: int, word: str) -> int:
    while index < len(found) and found[index].kind != "end":
        index += 1
        if found[index - 1].text == word:
            break
    return index
