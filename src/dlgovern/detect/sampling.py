"""See loaders and samplers that leave the ranks with the same data, or with the same order in every epoch."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.finding import SURE, Hit
from dlgovern.flow.calls import Arguments, argument, arguments, callee
from dlgovern.flow.constants import constant
from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import assigned_names, called_name, names_in, own_nodes
from dlgovern.flow.project import instance
from dlgovern.flow.steps import Step, callers, repeated, steps
from dlgovern.policy import Rule, done_by_frameworks
from dlgovern.source.handed import says
from dlgovern.source.tree import function, scope, up

PARAMETERS = {
    "names": Parameter("names", "samplers, or loaders, that are reported", required=True),
    "without": Parameter("strings", "arguments of which one answers: with one of these nothing is reported", default=[]),
    "off": Parameter("any", "argument and position that switch off what the rule is about when False", default={}),
    "absent": Parameter("strings", "text of which the program may have none", required=True),
    "through": Parameter("string", "method that hands itself on: what methods of this name say of it does not count", default=""),
    "frameworks": Parameter("table", "table of what frameworks do themselves", default=""),
    "do": Parameter("string", "its entry whose text the program may not have either", default=""),
    "elsewhere": Parameter("boolean", "nor may another file of the program", default=True),
    "alongside": Parameter("strings", "text of which each must be in some file of the program; | between alternatives", default=[]),
    "wrapped": Parameter("names", "data-parallel wrappers of which the program calls one", default=[]),
    "again": Parameter("boolean", "only where the training loop of the file is run again and again", default=False),
}
GUARDS = ("evaluation", "rank-aware")
"""What the detector is silent under: the data is for evaluation; the rank decides about the data already."""

_EVALUATION = re.compile(r"(^|[_.\W])(val|valid|validation|test|eval|evaluat(?:e|ion|or)|dev|infer\w*|predict\w*)((data)?(sets?|loaders?|data)|dl|ds|[_.\W]|\d|$)", re.I)
_TRAIN = re.compile(r"(^|_)train", re.I)
_RANKED = re.compile(r"\brank|_rank|world_size|num_shards|shard_id|num_replicas|process_index|get_worker_info|\.shard\(", re.I)
_PROCESS = re.compile(r"rank|proc|worker|gpu|dev(ice)?_?id", re.I)
_SEEDED = re.compile(r"seed\w*\([^()\n]*rank", re.I)


def absent(parameters: Mapping[str, Any], tables: Mapping[str, Any]) -> tuple[str, ...]:
    """The text of which no file of the program may have any."""
    return (*parameters["absent"], *done_by_frameworks(parameters, tables).get("text", ()))


def triggers(parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """One alternative a name."""
    return [{"name": name} for name in parameters["names"]]


def watch(rules: list[Rule], facts: Facts, tables: dict[str, Any]) -> dict[type | None, Callable[[Any], Iterator[Hit]]]:
    """One handler for the whole file."""

    def see(_file: None) -> Iterator[Hit]:
        for rule in rules:
            by_framework = done_by_frameworks(rule.parameters, tables)
            if says(facts.data, by_framework.get("text", ()), idle=by_framework.get("idle", ())):
                continue
            told = says(facts.data, rule.parameters["absent"])
            if not (told and rule.parameters.get("wrapped")):
                yield from _rule(rule, facts, told)

    return {None: see}


def _rule(rule: Rule, facts: Facts, told: bool) -> Iterator[Hit]:
    """The calls that are reported; where the file tells some sampler the epoch (``told``), those of which it is sure that it is another one."""
    said = rule.parameters
    calls = [call for call in facts.tree.of(ast.Call) if isinstance(call, ast.Call)]
    made = [call for call in calls if callee(facts, call) in said["names"] or _may_make(facts, call, said["names"])]
    if not made:
        return
    trained = steps(facts)
    if said.get("again") and trained and not any(repeated(facts, step.node) for step in trained):
        return
    if told:
        trained = [step for step in trained if repeated(facts, step.node)]
        made = [call for call in made if _is_local(facts, call, trained)]
    wrapped = not said.get("wrapped") or any(callee(facts, call) in said["wrapped"] for call in calls)
    for call in made:
        if (wrapped or _is_for_training(facts, call)) and not _is_spared(facts, call, said):
            hit = facts.hit(rule.id, call, call=ast.unparse(call.func))
            sure = trained and wrapped and _is_plain(facts, call, trained) if said.get("wrapped") else _is_local(facts, call, trained)
            if sure:
                hit = hit._replace(slots={**hit.slots, SURE: "yes"})
            yield hit if trained and wrapped else hit._replace(confidence="medium")


def _may_make(facts: Facts, call: ast.Call, names: list[str]) -> bool:
    """Whether a call is one of a variable that may be one of these: ``kind = RandomSampler if alone else DistributedSampler``."""
    func = call.func
    bindings = facts.names.bindings(scope(func)).get(func.id, ()) if isinstance(func, ast.Name) else ()
    chosen = [one.value for one in bindings if isinstance(one.value, ast.IfExp)]
    return any(facts.names.origin(way) in names for one in chosen for way in (one.body, one.orelse))


def _is_plain(facts: Facts, call: ast.Call, trained: list[Step]) -> bool:
    """Whether a training loop of the function goes over the very loader, of data that a library made there: what other files say is about other loaders."""
    owner, names, data = function(call), assigned_names(call), argument(arguments(facts, call), "dataset", 0)
    if owner is None or len(names) != 1 or not isinstance(data, ast.Name):
        return False
    binding = facts.names.binding(data)
    made = callee(facts, binding.value) if binding is not None and isinstance(binding.value, ast.Call) else None
    if made is None or made.partition(".")[0] not in _LIBRARIES:
        return False
    heads = [_over(step.node.iter) for step in trained if isinstance(step.node, ast.For) and function(step.node) is owner]
    used = [node for node in own_nodes(owner.body) if isinstance(node, ast.Name) and node.id in names and isinstance(node.ctx, ast.Load)]
    return any(isinstance(one, ast.Name) and one.id in names for one in heads) and all(any(node is one for one in heads) or _is_measured(node) for node in used)


def _is_local(facts: Facts, call: ast.Call, trained: list[Step]) -> bool:
    """Whether nobody but the training loop of the function has the sampler, through a loader that nobody else has: no other file can tell it the epoch."""
    owner, name = function(call), _variable(call)
    if owner is None or not name:
        return False
    loads: dict[str, list[ast.Name]] = {}
    for node in ast.walk(owner):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            loads.setdefault(node.id, []).append(node)
    given = [up(one) for one in loads.get(name, ())]
    takers = [up(around) if isinstance(around, ast.keyword) else around for around in given]
    loaders = [one for one in takers if isinstance(one, ast.Call) and (callee(facts, one) or called_name(one.func)).endswith("DataLoader")]
    if not loaders or not all(one in loaders or isinstance(one, ast.Compare) for one in takers):
        return False
    heads = [_over(step.node.iter) for step in trained if isinstance(step.node, ast.For) and function(step.node) is owner]
    gone: list[ast.Name] = []
    for loader in loaders:
        made = _variable(loader)
        if not made or not _is_only_drawn_from(loads, made, heads, gone):
            return False
    return bool(gone)


def _variable(node: ast.AST) -> str:
    """The one variable that an assignment gives a value, or one of two."""
    around = up(node)
    while isinstance(around, ast.IfExp):
        around = up(around)
    target = around.targets[0] if isinstance(around, ast.Assign) and len(around.targets) == 1 else None
    return target.id if isinstance(target, ast.Name) else ""


def _is_only_drawn_from(loads: Mapping[str, list[ast.Name]], name: str, heads: list[ast.expr], gone: list[ast.Name]) -> bool:
    """Whether a variable, and the bar that is drawn around it, serves only as what loops go over, or is asked for its length."""
    for one in loads.get(name, ()):
        around = up(one)
        if any(one is head for head in heads):
            gone.append(one)
        elif isinstance(around, ast.Call) and called_name(around.func) in ("tqdm", "enumerate") and one in around.args:
            bar = _variable(around)
            if not bar or not _is_only_drawn_from(loads, bar, heads, gone):
                return False
        elif not (_is_measured(one) or (isinstance(around, ast.Attribute) and around.attr in _BAR) or (isinstance(around, ast.For) and around.iter is one)):
            return False
    return True


_BAR = frozenset(("set_description", "set_postfix", "update", "close", "dataset", "batch_size"))


def _over(node: ast.expr) -> ast.expr:
    """What a loop goes over: ``loader`` of ``enumerate(tqdm(loader))``."""
    while isinstance(node, ast.Call) and called_name(node.func) in ("enumerate", "tqdm") and node.args:
        node = node.args[0]
    return node


def _is_measured(node: ast.Name) -> bool:
    """Whether a name is only asked for its length."""
    around = up(node)
    return isinstance(around, ast.Call) and called_name(around.func) == "len"


_LIBRARIES = frozenset(("torchvision", "datasets", "torchaudio"))


def _is_for_training(facts: Facts, call: ast.Call) -> bool:
    """Whether a loader shuffles, which only training needs."""
    shuffle = argument(arguments(facts, call), "shuffle", 2)
    return shuffle is not None and constant(facts, shuffle) is not False


def _is_spared(facts: Facts, call: ast.Call, said: dict[str, Any]) -> bool:
    found = arguments(facts, call)
    if found.open_keywords or found.open_positional or found.partial:
        return True
    if any(_is_given(facts, found, name) for name in said.get("without", ())):
        return True
    if off := said.get("off"):
        value = argument(found, off["argument"], off.get("position"))
        if value is not None and constant(facts, value) is False:
            return True
    without_guards = said.get("without_guards", ())
    if "evaluation" not in without_guards and (_is_evaluation(call) or _is_asked_for_evaluation(facts, call)):
        return True
    return bool(said.get("wrapped")) and "rank-aware" not in without_guards and (_is_ranked(facts, found) or _is_handed_out(call, found))


def _is_given(facts: Facts, found: Arguments, name: str) -> bool:
    name, _, position = name.partition("@")
    value = argument(found, name, int(position) if position else None)
    return value is not None and constant(facts, value) is not None


def _is_evaluation(call: ast.Call) -> bool:
    """Whether the names around a call say that it is about evaluation."""
    owner = function(call)
    first = [ast.unparse(call.args[0])] if call.args else []
    said = [*assigned_names(call), *first, *(ast.unparse(w.value) for w in call.keywords if w.arg == "dataset")]
    if any("train" in text.lower() for text in said):
        return False
    if owner is not None and _only_evaluates(owner):
        return True
    return any(_EVALUATION.search(text) for text in (*said, owner.name if owner and "train" not in owner.name.lower() else ""))


def _only_evaluates(owner: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function switches a model to evaluation, and neither back nor backward."""
    called = {called_name(node.func) for node in own_nodes(owner.body) if isinstance(node, ast.Call) and not node.args}
    return "eval" in called and called.isdisjoint(("train", "backward", "step"))


def _is_asked_for_evaluation(facts: Facts, call: ast.Call) -> bool:
    """Whether all functions of the file that call the one around are named for evaluation."""
    owner = function(call)
    around = [function(one) for one in callers(facts, owner)] if owner else []
    return bool(around) and all(one is not None and _EVALUATION.search(one.name) and not _TRAIN.search(one.name) for one in around)


def _is_ranked(facts: Facts, found: Arguments) -> bool:
    """Whether the data set, or the seed of the process, depends on the rank."""
    if _SEEDED.search(facts.data.decode("utf-8", "replace")):
        return True
    data = argument(found, "dataset", 0)
    if data is None or _RANKED.search(ast.unparse(data)):
        return data is not None
    made: ast.AST = data
    if isinstance(data, ast.Name) and _is_cut_before(facts, data):
        return True
    if isinstance(data, ast.Name) and (binding := facts.names.binding(data)) and binding.value is not None:
        if _RANKED.search(ast.unparse(binding.value)):
            return True
        made = binding.value
    owner = instance(facts, made)
    return owner is not None and bool(_RANKED.search(ast.unparse(owner.node)))


def _is_cut_before(facts: Facts, data: ast.Name) -> bool:
    """Whether who calls the function around hands it a part of the data that depends on the rank."""
    owner = function(data)
    names = [arg.arg for arg in (*owner.args.posonlyargs, *owner.args.args, *owner.args.kwonlyargs)] if owner is not None else []
    if owner is None or data.id not in names:
        return False
    for call in callers(facts, owner):
        index = names.index(data.id) - (isinstance(call.func, ast.Attribute) and names[0] == "self")
        given, around = argument(arguments(facts, call), data.id, index), function(call)
        told = names_in(given) if given is not None else set()
        if any(
            isinstance(node, ast.Assign) and not told.isdisjoint(names_in(node.targets[0])) and _CUT.search(ast.unparse(node.value))
            for node in (ast.walk(around or facts.tree.module) if told else ())
        ):
            return True
    return False


_CUT = re.compile(r"\[[^\]]*rank\b[^\]]*:|\)\[[\w.]*rank\]|\.shard\(", re.I)
"""A part of which the rank decides: ``x[rank * n : (rank + 1) * n]``, ``x.chunk(n)[rank]`` or a shard."""


def _is_handed_out(call: ast.Call, found: Arguments) -> bool:
    """Whether the data are items that who started this process chose for it: ``data[split]`` with a parameter ``split``, or a part of one."""
    owner, data = function(call), argument(found, "dataset", 0)
    given = {arg.arg for arg in owner.args.args} if owner is not None else set()
    if owner is None or data is None or not any(_PROCESS.search(name) for name in given):
        return False
    bound = [(target, node.value) for node in ast.walk(owner) if isinstance(node, ast.Assign) for target in node.targets]
    given |= {name for target, value in bound if isinstance(value, ast.Name) and value.id in given for name in names_in(target)}
    chosen = [data, *(value for target, value in bound if not names_in(target).isdisjoint(names_in(data)))]
    return any(isinstance(one, ast.Subscript) and isinstance(one.slice, ast.Name) and one.slice.id in given for one in chosen)
