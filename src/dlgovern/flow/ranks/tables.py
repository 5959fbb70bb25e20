"""The tables of a standard that say what tells ranks apart and which calls they make together, indexed for look-up."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from dlgovern.flow.facts import Facts
from dlgovern.repository.outline import Seeds
from dlgovern.source.imports import normal
from dlgovern.source.words import read_words, words

SOURCES = "ranks"
COLLECTIVES = "collectives"
FILES = "files"
"""Names of the tables in a standard."""

_NUMBERS = ("global", "local", "node", "size")
_TRUTHS = ("main", "local-main", "started", "absent", "sub")


NOTHING, WHETHER_FIRST, WHICH = range(3)
"""What a value asks of the class of its rank: nothing, whether it is rank 0, or which of all classes it is."""

ASKS = {"global": WHETHER_FIRST, "main": WHETHER_FIRST, "local": WHICH, "local-main": WHICH, "node": WHICH}
APART = frozenset(ASKS)
"""Kinds of sources whose value differs between ranks."""


CHANGES = ("write", "copy", "remove")
"""Kinds of rows for calls after which a path is another one than before."""

_ASKED = 2
"""Files behind one another through which a question about ranks is passed on."""
_SHORT = frozenset({"DDP", "FSDP", "accelerator", "fabric"})
_PROSE = frozenset({b"rank"})
"""Words that comments are full of: they count where code goes on behind them."""
_VAGUE = frozenset({"self", "loss", "losses", "total_loss", "pl_module"})
_COMMON = frozenset("load save gather reduce scatter broadcast initialize rendezvous get_state_dict set_state_dict".split())
"""Last parts of names that other things are called too: these count with the full name only."""

DOUBTS = frozenset("exists isfile isdir is_file is_dir listdir scandir glob iglob rglob iterdir isnan isinf isfinite has_inf_or_nan _has_inf_or_nan has_nan has_inf numel".split())
"""Words of what ranks may answer differently although nothing in it is a rank."""


CLOCKS = frozenset("time monotonic perf_counter now time_ns".split())
"""Functions that tell the time, which ranks ask at moments of their own."""

SHARES = frozenset({"shard", "split_dataset_by_node"})
"""Calls whose result is a share of the rank."""


class Operation(NamedTuple):
    """A call that ranks make together."""

    kind: str  # collective, gather, save, group, log, backward; or wrap; or of, which only says what it is given
    group: int = -1  # position of the process group, -1: none
    where: str = ""  # keyword that must be given and not false
    unless: str = ""  # keyword that must not be given
    on: tuple[str, ...] = ()  # objects whose method it is; empty: a function
    how: str = ""  # of a wrapper: what the result is
    in_place: bool = False  # of a wrapper: the argument itself is changed
    starts: bool = False  # starts the process group: what calls it runs on every rank
    one_writes: bool = False  # of a save: one process may write all of it
    text: tuple[str, ...] = ()  # words of files in which it is one, in functions that do not ask for them


class FileRow(NamedTuple):
    """Where a call that writes, removes or reads is given its path: a position (-1: the object), a keyword."""

    path: int
    keyword: str
    at_once: bool = False  # several processes may do it at the same time
    words: tuple[str, ...] = ()  # the other keywords of the call where these are known
    how: str = "write"  # copy: another file is copied there; remove: what is there goes
    unless: tuple[str, ...] = ()  # keywords that make it harmless
    on: tuple[str, ...] = ()  # last names of the objects whose method it is; empty: of any


class Tables:
    """Look-ups by name; made once a policy."""

    def __init__(self, tables: dict[str, Any]) -> None:
        ranks = tables.get(SOURCES, {})
        collectives = tables.get(COLLECTIVES, {})
        self.calls: dict[str, str] = {}
        self.environment: dict[str, str] = {}
        self.names: dict[str, str] = {}
        for source in (*_NUMBERS, *_TRUTHS):
            table = ranks.get(source, {})
            self.calls.update(dict.fromkeys(table.get("calls", ()), source))
            self.environment.update(dict.fromkeys(table.get("environment", ()), source))
            self.names.update(dict.fromkeys(table.get("names", ()), source))
        self.questions = frozenset(ranks.get("questions", {}).get("names", ()))
        guards = ranks.get("guards", {})
        self.decorators = dict.fromkeys(guards.get("main", ()), "main") | dict.fromkeys(guards.get("local", ()), "local-main")
        self.first = dict.fromkeys(guards.get("first", ()), "main") | dict.fromkeys(guards.get("local-first", ()), "local-main")
        programs = ranks.get("programs", {})
        self.program_calls, self.program_objects = frozenset(programs.get("calls", ())), frozenset(programs.get("objects", ()))
        hooks = ranks.get("hooks", {})
        self.hook_registers = frozenset(hooks.get("registers", ()))
        self.hook_classes, self.hooks = frozenset(hooks.get("classes", ())), frozenset(hooks.get("methods", ()))
        self.agreed = tuple(ranks.get("agreed", {}).get("words", ()))
        self.engines = tuple(ranks.get("engines", {}).get("words", ()))
        shards = ranks.get("shards", {})
        self.shards = frozenset(shards.get("classes", ()))
        self._whole, self._sharding = (tuple(word.encode() for word in shards.get(key, ())) for key in ("whole", "words"))
        self.functions: dict[str, Operation] = {}
        self.methods: dict[str, list[Operation]] = {}
        for row in (*collectives.get("event", ()), *({**one, "kind": "wrap"} for one in collectives.get("wrapper", ()))):
            self._add(row)
        self.meets = {
            one["how"]: tuple(word.encode() for word in one["meets"]) for one in collectives.get("wrapper", ()) if "meets" in one
        }
        """What wraps a model -> text of files in whose models its forward pass makes ranks meet; none: it never does."""
        self._files(tables.get(FILES, {}))
        starts = {name for name, one in self.functions.items() if one.starts or one.kind == "wrap"}
        starts |= self.program_calls | self.program_objects | self.hook_classes | self.hook_registers
        self.start_words = frozenset(name.rpartition(".")[2].encode() for name in starts)
        self.starting = Seeds(frozenset(name.rpartition(".")[2] for name, one in self.functions.items() if one.starts), most=_ASKED, beyond=False)
        parting = {name.rpartition(".")[2] for name, kind in self.calls.items() if kind in APART} | {*self.first, *self.decorators}
        parting |= {name for name, kind in {**self.names, **self.environment}.items() if kind in APART}
        self.event_words = frozenset(name.rpartition(".")[2].encode() for name in (*self.functions, *self.first))
        self.parting_words = frozenset(word.encode() for word in parting)
        wrappers = {name.rpartition(".")[2] for name, one in self.functions.items() if one.kind == "wrap"}
        prepares = {name for name, many in self.methods.items() if any(one.kind == "wrap" for one in many)}
        self.lasts = frozenset(name.rpartition(".")[2] for name in self.functions)
        self.wrappers = frozenset(wrappers | prepares)
        self._wraps = frozenset(name.encode() for name in wrappers | _SHORT)
        self.told: RankText | None = None
        receivers = {pattern.rpartition(".")[2] for many in self.methods.values() for one in many for pattern in one.on if pattern[-1:].isalpha() and " " not in pattern}
        every_rank = {name for name, many in self.methods.items() if any("*" in one.on for one in many)}
        plain = {name.rpartition(".")[2] for name in self.functions} | {*self.first} | every_rank | (receivers - _VAGUE) | wrappers | _SHORT
        self.acting = Seeds(frozenset(plain - _COMMON), frozenset(name for name in self.functions if name.rpartition(".")[2] in _COMMON))
        self.wrapping = Seeds(frozenset(wrappers | _SHORT))
        apart = frozenset(word.decode() for word in self.parting_words)
        self.apart = Seeds(apart | frozenset("_" + word for word in apart), most=_ASKED, beyond=False)
        self.asking = self.apart._replace(most=1)
        started = {name.rpartition(".")[2] for name, kind in self.calls.items() if kind == "started"}
        self.telling = Seeds(self.apart.words | DOUBTS | CLOCKS | SHARES | started, most=_ASKED, beyond=False)

    def meets_in(self, how: str, data: bytes) -> bool:
        """Whether ranks meet in the forward pass of a model that is wrapped in this way, as far as the text of a file tells."""
        words = self.meets.get(how)
        return words is None or any(word in data for word in words)

    def leaves_whole(self, data: bytes) -> bool:
        """Whether the models of a file are data-parallel and in no shards, as far as its text tells."""
        return any(word in data for word in self._whole) and not any(word in data for word in self._sharding)

    def wraps(self, data: bytes) -> bool:
        """Whether a file wraps models, or says of one that it is wrapped."""
        return not self._wraps.isdisjoint(_words(data))

    def parts(self, data: bytes) -> bool:
        """Whether a file has a word that tells ranks apart."""
        return not self.parting_words.isdisjoint(_words(data))

    def writes(self, data: bytes) -> bool:
        """Whether a file has a word of what writes."""
        return not self._writing.isdisjoint(_words(data))

    def _files(self, files: dict[str, Any]) -> None:
        self.own = frozenset(files.get("own", {}).get("names", ()))
        self.own_of_texts = frozenset(files.get("own", {}).get("of_texts", ()))
        self.own_words = frozenset(name.rpartition(".")[2].encode() for name in self.own | self.own_of_texts)
        saves = [name for name, one in self.functions.items() if one.kind == "save"]
        saves += [name for name, every in self.methods.items() if any(one.kind == "save" for one in every)]
        self.save_words = frozenset(name.rpartition(".")[2].encode() for name in saves)
        self._paths: dict[str, tuple[str, FileRow]] = {}  # by origin, "below." for all below, ".method"
        self.file_words: dict[str, set[bytes]] = {"write": set(), "read": {b"open"}}
        self.makers = frozenset(name.rpartition(".")[2] for one in files.get("read", ()) if one.get("makes") for name in one.get("names", ()))
        for kind in (*CHANGES, "read", "download"):
            for one in files.get(kind, ()):
                words, on = tuple(one.get("words", ())), tuple(one.get("on", ()))
                known = (kind, FileRow(one.get("path", 0), one.get("keyword", ""), one.get("at_once", False), words, kind, tuple(one.get("unless", ())), on))
                self._paths.update({name.removesuffix("*"): known for name in one.get("names", ())})
                self._paths.update({f".{name}": known for name in one.get("methods", ())})
                last = {name.removesuffix(".*").rpartition(".")[2].encode() for name in (*one.get("names", ()), *one.get("methods", ()))}
                for side in self.file_words if kind == "download" else (kind,) if kind in self.file_words else ():
                    self.file_words[side] |= last

        writing = [key for key, (kind, row) in self._paths.items() if kind in CHANGES and not row.at_once]
        methods = frozenset(key[1:] for key in writing if key[0] == ".")
        self.writing = Seeds(frozenset({"open"}), frozenset(key for key in writing if key[0] != "."), methods)
        self._writing = frozenset(name.encode() for name in ("open", *methods, *(key.rpartition(".")[2] for key in writing)))

    def files(self, origin: str, method: str) -> list[tuple[str, FileRow]]:
        """What a call of this origin, or of a method of this name, does with files."""
        keys = (origin, f"{origin.rpartition('.')[0]}.", f".{method}")
        return [self._paths[key] for key in keys if key in self._paths][:1]

    def acts(self, data: bytes) -> bool:
        """Whether some operation of the tables can stand in a file."""
        said = _words(data)
        return not self.event_words.isdisjoint(said) or any(
            name.encode() in said and b"." + name.encode() in data and any(_receiver(one, data) for one in operations)
            for name, operations in self.methods.items()
        )

    def _add(self, row: dict[str, Any]) -> None:
        operation = Operation(
            row["kind"], row.get("group", -1), row.get("where", ""), row.get("unless", ""), tuple(row.get("on", ())),
            row.get("how", ""), row.get("in_place", False), row.get("starts", False), row.get("one_writes", False),
            tuple(row.get("text", ())),
        )
        for name in row.get("names", ()):
            self.functions[name] = operation
        for name in row.get("of", ()):
            self.functions[name] = operation._replace(kind="of", in_place=True)
        for name in row.get("methods", ()):
            self.methods.setdefault(name, []).append(operation)


def _receiver(operation: Operation, data: bytes) -> bool:
    for pattern in operation.on:
        word = pattern.removeprefix("wrapped ").removesuffix("()").removesuffix(".*").rpartition(".")[2]
        if pattern == "*" or pattern.startswith("wrapped ") or word.encode() in data:
            return True
    return False


@lru_cache(maxsize=32)
def _words(data: bytes) -> set[bytes]:
    """The words of a file; several questions about one file follow each other."""
    return words(data)


def tables_of(tables: dict[str, Any]) -> Tables:
    """The look-ups of a standard's tables, made once for as long as these live."""
    key = (id(tables.get(SOURCES)), id(tables.get(COLLECTIVES)), id(tables.get(FILES)))
    if key not in _KNOWN:
        _KNOWN.clear()
        _KNOWN[key] = (tables, Tables(tables))
    return _KNOWN[key][1]


_KNOWN: dict[tuple[int, int, int], tuple[dict[str, Any], Tables]] = {}


class RankText(NamedTuple):
    """What a file holds that tells ranks apart: one of the parts, and then one of the words or what the pattern means."""

    parts: list[str]
    words: list[str]
    text: str


def rank_text(tables: dict[str, Any]) -> RankText:
    """How a file that tells ranks apart itself is known: by a word of the tables, or a call of what has a part in its name."""
    known = tables_of(tables)
    asked = {name.encode() for name in known.questions}
    short = sorted((word.decode() for word in known.parting_words | asked), key=lambda word: (len(word), word))
    kept: list[str] = []
    for word in short:
        if not any(part in word for part in kept):
            kept.append(word)
    plain = sorted(word.decode() for word in (known.parting_words | asked) - _PROSE)
    prose = "|".join(sorted(word.decode() for word in known.parting_words & _PROSE))
    goes_on = r"(?:[ \t]*(?:[]=!<>(),:%/}\"'#\\]|$)|[ \t]+(?:is|in|not|and|or|else|if)\b)"
    parts = "|".join(map(re.escape, kept))
    text = rf"(?m)(?:{parts})\w*[ \t]*\(|@[\w.]*(?:{parts})" + (rf"|(?<![^\W_])(?<!lora_)(?<!low_)(?:{prose}){goes_on}" if prose else "")
    return RankText(kept, [*plain, *(f"_{word}" for word in plain)], text)


def tells_ranks(facts: Facts, tables: dict[str, Any]) -> bool:
    """Whether a file tells ranks apart itself, by its text."""
    return facts.once(tells_ranks, lambda: _tells_ranks(tables, normal(facts.data)))


def _tells_ranks(tables: dict[str, Any], data: bytes) -> bool:
    known = tables_of(tables)
    if known.told is None:
        known.told = rank_text(tables)
    parts, words, text = known.told
    if not any(part.encode() in data for part in parts):
        return False
    return not read_words(data).tokens.isdisjoint(word.encode() for word in words) or re.search(text.encode(), data) is not None
