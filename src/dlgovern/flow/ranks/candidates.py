"""Which functions of a file can disagree between ranks, told from their words before any is interpreted."""

from __future__ import annotations

import ast
from collections.abc import Callable

from dlgovern.flow.facts import Facts
from dlgovern.flow.leads import imported
from dlgovern.flow.paths import called_name, called_on
from dlgovern.flow.ranks.answers import answers
from dlgovern.flow.ranks.partly import parted_attributes
from dlgovern.flow.ranks.project import Target, targets
from dlgovern.flow.ranks.said import Given, Said, made_of, plain, said
from dlgovern.flow.ranks.signals import set_by_signals
from dlgovern.flow.ranks.tables import CLOCKS, DOUBTS, SHARES, Tables
from dlgovern.repository.outline import Seeds, outlines

_ROUNDS = 6
_MAKES = frozenset({"__init__", "__enter__", "__exit__", "__call__"})
_TRAINS = (b"DistributedDataParallel", b"fully_shard", b"FullyShardedDataParallel", b"deepspeed", b"accelerator", b"fabric", b"DDP", b"FSDP")


def candidates(facts: Facts, tables: Tables) -> Candidates:
    """The candidates of a file, found once."""
    return facts.once(Candidates, lambda: Candidates(facts, tables))


class Candidates:
    """Names of a file that lead to something ranks do together (`acting`) or that tell ranks apart (`parting`)."""

    def __init__(self, facts: Facts, tables: Tables) -> None:
        self.facts = facts
        self.targets = list(targets(facts))
        self.trains = any(word in facts.data for word in _TRAINS)
        self.reads: set[str] = set()
        self._tables = tables
        self._wraps = tables.wraps(facts.data)
        self._said: dict[tuple[str, int, int], Said] = {}
        self._given: list[Given] = []
        self._quiet: dict[int, frozenset[str] | None] = {}
        self._arguments: dict[tuple[str, int, int], set[str]] = {}
        self.clocks = set(CLOCKS)
        self.exits = set(_EXITS)
        self.signalled = {name.rpartition(".")[2] for name in set_by_signals(facts)}
        self._modules: dict[str, str] = {}  # names of modules of the repository -> their files
        self._makers = set(tables.wrappers)  # what makes wrapped models and objects whose methods act
        self.acting: set[str] = set()
        self.parting: set[str] = set()
        self._imported()
        if not (self.acting or self._modules or tables.acts(facts.data)) and not self.parting and not tables.parts(facts.data):
            self.targets = []  # nothing of all this is in the file
        for target in self.targets:
            self._said[target.key], given = said(target)
            self._given += given
        self.steps = {one.node.name for one in self.targets if one.node.name and "backward" in self._said[one.key].names}
        self._called = self._names_of_operations()
        self._direct = {target.key for target in self.targets if any(self._is_operation(call.func) for call in self._said[target.key].calls)}
        self._find_clocks()
        self._ask_objects()
        self._find_parting()
        self._find_acting()
        self.telling = self.parting | self._makers | self.acting | self._called
        """Names of what can be a rank, a truth about ranks, a group of them or a wrapped model."""
        self._leading = self.telling | DOUBTS | self.clocks | self.signalled
        self._apart = {target.node.name for target in self.targets if self.parts(target)}

    def parts(self, target: Target) -> bool:
        """Whether a function tells ranks apart."""
        return target.key in self._said and not self.parting.isdisjoint(self._said[target.key].decides)

    def acts(self, target: Target) -> bool:
        """Whether a function can do something that ranks do together."""
        return target.key in self._direct or not self.acting.isdisjoint(self._said[target.key].names)

    def leads(self, func: ast.Attribute) -> bool:
        """Whether a method of an object can be about ranks: its name, or that of the object, leads to a word of the tables."""
        base = root = func.value
        while isinstance(root, ast.Attribute):
            root = root.value
        if isinstance(root, ast.Name) and (root.id in imported(self.facts) or (root is base and root.id in _OWN)):
            return True
        return isinstance(base, ast.Call | ast.Subscript) or func.attr in self._leading or called_name(base) in self._leading

    def matters(self, target: Target) -> bool:
        """Whether a function acts, or returns something that tells ranks apart or is a wrapped model."""
        if not self.targets:
            return False
        if target.key not in self._said or self.acts(target):
            return True
        mine = self._said[target.key]
        telling = self.parts(target) or any(not words.isdisjoint(mine.gives) for words in (self.parting, DOUBTS, self.clocks, self.signalled))
        return bool(mine.gives) and (telling or not self._makers.isdisjoint(mine.itself))

    def wants(self, target: Target) -> bool:
        """Whether a function can hold a disagreement."""
        if not self.acts(target):
            return False
        mine = self._said[target.key]
        if self.parts(target) or not DOUBTS.isdisjoint(mine.names) or mine.catches:
            return True
        if not self.signalled.isdisjoint(mine.names) or (mine.loops and not (self.clocks | self.steps).isdisjoint(mine.names)):
            return True
        return any(called_name(call.func) in self._apart and self._is_given_a_model(call) for call in mine.calls)

    def _is_given_a_model(self, call: ast.Call) -> bool:
        """Whether an argument is called like what is wrapped somewhere in the file."""
        return any(called_name(one) in self._makers for one in (*call.args, *(word.value for word in call.keywords)))

    def speaks(self, target: Target) -> bool:
        """Whether a word that tells ranks apart stands in a function, its parameters included."""
        return target.key in self._said and not self.parting.isdisjoint(self._said[target.key].names)

    def names(self, target: Target) -> frozenset[str]:
        """The words of a function."""
        return self._said[target.key].names if target.key in self._said else frozenset()

    # -- statements that need not be interpreted -------------------------------------------------------------

    def quiet(self, statement: ast.stmt, target: Target) -> frozenset[str] | None:
        """The names that a statement uses when it does nothing together, ends nothing and decides nothing; None when it may."""
        key = id(statement)
        if key not in self._quiet:
            self._quiet[key] = self._look(statement, target)
        return self._quiet[key]

    def _look(self, statement: ast.stmt, target: Target) -> frozenset[str] | None:
        mine = self._said.get(target.key)
        if mine is None:
            return None
        used = plain(statement)
        if used is None or not (used.targets.isdisjoint(mine.decides) and used.targets.isdisjoint(mine.gives)):
            return None
        if not used.targets.isdisjoint(self._given_to_operations(target)):
            return None
        if not all(map(used.names.isdisjoint, (self.acting, self.parting, DOUBTS, self.clocks, self.signalled, SHARES, _GROUPS))) or any(word in called_name(call.func).lower() for call in used.calls for word in self._tables.agreed):
            return None
        ends = any(called_name(call.func) in self.exits or self._is_operation(call.func) for call in used.calls)
        return None if ends else used.names

    def _given_to_operations(self, target: Target) -> set[str]:
        """The names in arguments of operations: the group, what is agreed on, what says whether ranks meet at all."""
        known = self._arguments.get(target.key)
        if known is None:
            known = self._arguments[target.key] = set()
            for call in self._said[target.key].calls:
                if self._is_operation(call.func):
                    for argument in (*call.args, *(word.value for word in call.keywords)):
                        known |= made_of(argument)
        return known

    # -- what is known from outside ------------------------------------------------------------------------

    def _imported(self) -> None:
        """Names from files of the repository in which words of the tables stand."""
        tables = self._tables
        used = {node.id for node in self.facts.tree.of(ast.Name)}  # type: ignore[attr-defined]
        for local, (path, name) in imported(self.facts).items():
            if local not in used:
                continue
            if not name:
                self._modules[local] = path
                continue
            if self._reaches(path, name, tables.acting):
                self.acting.add(local)
                if name[:1].isupper() or self._reaches(path, name, tables.wrapping):
                    self._makers.add(local)
            if not name[:1].isupper() and self._reaches(path, name, tables.apart):
                self.parting.add(local)  # not a class: that an object is made tells nothing of a rank
        for node in self.facts.tree.of(ast.Attribute) if self._modules else ():
            base, name = node.value, node.attr  # type: ignore[attr-defined]
            if isinstance(base, ast.Name) and base.id in self._modules and self._reaches(self._modules[base.id], name, tables.apart):
                self.parting.add(name)
        for node in self.facts.tree.of(ast.ImportFrom):
            for alias in node.names:  # type: ignore[attr-defined]
                if alias.asname and alias.name in tables.apart.words:
                    self.parting.add(alias.asname)
                if alias.asname and alias.name in tables.wrappers:
                    self._makers.add(alias.asname)
                if alias.asname and alias.name in CLOCKS:
                    self.clocks.add(alias.asname)
                if alias.asname and alias.name in _EXITS:
                    self.exits.add(alias.asname)

    def _ask_objects(self) -> None:
        """Names by which something is decided and which a class of another file of the repository answers by the rank."""
        known = answers(self.facts, self._tables)
        self.parting |= {name for mine in self._said.values() for name in mine.decides if name in known.names}
        self.reads |= known.reads

    def _reaches(self, path: str, name: str, seeds: Seeds) -> bool:
        return outlines(self.facts.repository).reaches(path, name, seeds, self.reads)

    # -- what the functions of the file do themselves -------------------------------------------------------

    def _names_of_operations(self) -> set[str]:
        """Last parts of the operations' names, and other names that they are given in the file."""
        found = set(self._tables.lasts)
        for node in self.facts.tree.of(ast.ImportFrom):
            found.update(alias.asname for alias in node.names if alias.asname and alias.name in found)  # type: ignore[attr-defined]
        for _ in range(2):
            for given in self._given:
                if not found.isdisjoint(given.itself):
                    found.update(given.targets)
        return found

    def _is_operation(self, func: ast.expr) -> bool:
        tables = self._tables
        last = called_name(func)
        if isinstance(func, ast.Attribute):
            base = func.value
            if isinstance(base, ast.Name) and base.id in self._modules:
                if self._reaches(self._modules[base.id], last, tables.acting):
                    return True
            elif last in tables.methods and self._receives(func):
                return True
        if last in tables.first:
            return True
        if last not in self._called:
            return False
        operation = tables.functions.get((self.facts.names.origin(func) or "").replace(".distributed_c10d.", "."))
        return operation is not None

    def _receives(self, func: ast.Attribute) -> bool:
        """Whether the receiver of a method can be one of the objects whose operation it is."""
        if func.attr == "backward" and not self.trains:
            return False
        last = called_name(func.value) or called_on(func).rpartition(".")[2]
        for operation in self._tables.methods[func.attr]:
            for pattern in operation.on:
                if pattern.endswith("()"):
                    if pattern.partition(".")[0].removesuffix("()").encode() in self.facts.data:
                        return True
                elif pattern == "*" or pattern.rpartition(".")[2] == last or (pattern.startswith("wrapped ") and self._wraps):
                    return True
        return False

    # -- closures ------------------------------------------------------------------------------------------

    def _find_clocks(self) -> None:
        """Functions that answer by the time."""
        self._spread(self.clocks, lambda target: target.node.name not in _MAKES and not self.clocks.isdisjoint(self._said[target.key].gives))

    def _find_parting(self) -> None:
        for mine in self._said.values():
            self.parting |= {name for name in mine.names if name.lstrip("_") in self._tables.apart.words}
        self.parting |= parted_attributes(self.facts, self.parting)
        for _ in range(2):
            self._spread(self.parting, self._answers)
            for given in self._given:
                if not self.parting.isdisjoint(given.made_of):
                    self.parting.update(given.targets)
            self.parting -= _OWN

    def _answers(self, target: Target) -> bool:
        """Whether what a function returns, or that it waits, tells its caller something of a rank."""
        mine = self._said[target.key]
        return (bool(mine.gives) and (self.parts(target) or not self.parting.isdisjoint(mine.gives))) or (
            "barrier" in mine.names and self.parts(target)
        )

    def _find_acting(self) -> None:
        """Names of functions that act, and of wrapped models and of objects whose methods act."""
        for _ in range(3):
            before = len(self.acting), len(self._makers)
            self._spread(self.acting, self.acts)
            for target in self.targets:
                if target.owner is not None and (target.owner.name in self.acting or self.acts(target)):
                    self._makers.add(target.owner.name)
                elif not self._makers.isdisjoint(self._said[target.key].itself):
                    self._makers.add(target.node.name)
            for given in self._given:
                if not self._makers.isdisjoint(given.itself):
                    self.acting.update(given.targets)
                    self._makers.update(given.targets)
            self.acting -= _OWN
            self._makers -= _OWN
            if before == (len(self.acting), len(self._makers)):
                return

    def _spread(self, found: set[str], holds: Callable[[Target], bool]) -> None:
        """Functions of which something holds count too, and classes whose making is one."""
        for _ in range(_ROUNDS):
            before = len(found)
            for target in self.targets:
                if target.node.name and holds(target):
                    if target.node.name not in _MAKES:
                        found.add(target.node.name)
                    elif target.owner is not None:
                        found.add(target.owner.name)
            for owner in self.facts.tree.of(ast.ClassDef):
                if any(isinstance(base, ast.Name) and base.id in found for base in owner.bases):  # type: ignore[attr-defined]
                    found.add(owner.name)  # type: ignore[attr-defined]
            if len(found) == before:
                return


_GROUPS = frozenset({"get_group"})
_EXITS = frozenset({"exit", "_exit", "quit"})
_OWN = frozenset({"self", "cls", "_", "super", "return"})
