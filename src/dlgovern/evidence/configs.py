"""Say what a YAML or JSON file is for, and read it as that: workflow, cluster, compose, or a configuration of training."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dlgovern.evidence.cluster import read_cluster, read_compose, read_devcontainer
from dlgovern.evidence.embedded import environment_of
from dlgovern.evidence.nodes import Document, Doubled, Node
from dlgovern.evidence.recipe import Recipe, Repeated, Value
from dlgovern.evidence.script import Command, Setting, Word
from dlgovern.evidence.values import Problem
from dlgovern.evidence.words import Line
from dlgovern.evidence.workflows import read_azure, read_github, read_gitlab

_MOST_VALUES = 5_000
_STRICT = frozenset(("cluster", "compose", "github", "azure", "hydra"))  # whose readers refuse a key that is there twice
_MOST_DOUBLED = 20
_DEEPSPEED = frozenset(
    ("train_batch_size", "train_micro_batch_size_per_gpu", "zero_optimization", "zero_allow_untested_optimizer", "steps_per_print",
     "wall_clock_breakdown", "gradient_accumulation_steps", "fp16", "bf16", "optimizer", "scheduler", "gradient_clipping")
)
_ACCELERATE = frozenset(("distributed_type", "compute_environment", "num_machines", "machine_rank", "num_processes"))


def read_config(path: str, kind: str, document: Document, lines: Sequence[Line]) -> Recipe:
    """The recipe of a file whose nodes are known."""
    empty = Recipe(path, kind)
    if not document.roots:
        return empty
    form = form_of(path, document)
    if form in _READERS:
        found = _READERS[form](document, lines, empty)._replace(form=form)
    elif form:
        found = empty._replace(form=form, values=values_of(document.roots[0], form))
    else:
        return empty
    if not document.doubled or document.templated:
        return found
    doubled = document.doubled[:_MOST_DOUBLED]
    if form in _STRICT or (form == "deepspeed" and kind == "json"):
        problems = (Problem(path, one.key.line, f"says {one.key.text[:40]!r} twice in one mapping") for one in doubled)
        return found._replace(problems=(*found.problems, *problems))
    return found._replace(repeated=tuple(_repeated(one) for one in doubled if one.differs))


def _repeated(one: Doubled) -> Repeated:
    key, before = one.key, one.before
    return Repeated(key.text, key.line, key.column, key.end_column, before.line, before.column)


def form_of(path: str, document: Document) -> str:
    """What the file is for, "" for nothing that we read."""
    lower = path.lower()
    name = lower.rpartition("/")[2]
    first = document.roots[0]
    keys = {key.text for key, _ in first.pairs if key.kind == "scalar"}
    if any(root.word("apiVersion") and root.word("kind") for root in document.roots):
        return "cluster"
    if lower.startswith(".github/workflows/") or "/.github/workflows/" in lower:
        return "github"
    if name.startswith((".gitlab-ci", "gitlab-ci")) or lower.startswith(".gitlab/"):
        return "gitlab"
    if name.startswith(("azure-pipelines", ".azure-pipelines")) or "azure-pipelines/" in lower:
        return "azure"
    if "services" in keys and (first.get("services") or first).kind == "mapping" and ("compose" in name or "version" in keys):
        return "compose"
    if "devcontainer" in lower:
        return "devcontainer"
    if name == "launch.json":
        return "vscode"
    if len(_ACCELERATE & keys) > 1 and {"distributed_type", "compute_environment"} & keys:
        return "accelerate"
    if len(_DEEPSPEED & keys) > 1 and {"train_batch_size", "train_micro_batch_size_per_gpu", "zero_optimization"} & keys:
        return "deepspeed"
    if not {"trainer", "_target_", "class_path"} & keys and all(value.kind == "scalar" for _, value in first.pairs):
        return ""
    named = document.keys & {"_target_", "class_path"}
    trainer = first.get("trainer")
    if trainer is not None and trainer.kind == "mapping" and trainer.word("_target_") is None and _is_lightning(first, trainer, named):
        return "lightning"
    return "hydra" if named else ""


def _is_lightning(root: Node, trainer: Node, named: frozenset[str]) -> bool:
    """Whether this is for LightningCLI: it names classes by ``class_path``, or says what only it says."""
    known = {"max_epochs", "accelerator", "devices", "strategy", "precision", "logger", "callbacks", "num_nodes", "gpus"}
    own = {key.text for key, _ in trainer.pairs if key.kind == "scalar"}
    return len(known & own) > 1 and ("class_path" in named or root.key("seed_everything") is not None)


def values_of(root: Node, form: str) -> tuple[Value, ...]:
    """Every scalar below a node; of a Hydra configuration only what a ``_target_`` is given as plain values."""
    found: list[Value] = []
    every = form != "hydra"
    todo: list[tuple[str, Node, Node]] = [("", root, root)]
    seen: set[int] = set()
    while todo and len(found) < _MOST_VALUES:
        path, node, key = todo.pop()
        if node.kind == "scalar":
            place = (node.line, node.column, node.end_line, node.end_column)
            found.append(Value(path, node.text, bool(node.style), *place, (key.line, key.column)))
            continue
        inner = node.pairs or node.items
        if id(inner) in seen:
            continue
        seen.add(id(inner))
        wanted = every or node.get("_target_") is not None
        prefix = f"{path}." if path else ""
        children = [(k.text, value, k) for k, value in node.pairs if k.kind == "scalar"]
        children += [(str(number), item, item) for number, item in enumerate(node.items)]
        todo += [(f"{prefix}{name}", value, k) for name, value, k in reversed(children) if wanted or value.kind != "scalar"]
    return tuple(found)


def _vscode(document: Document, lines: Sequence[Line], empty: Recipe) -> Recipe:
    """The programs that an editor starts: a module or a program, and its arguments."""
    found = document.roots[0].get("configurations")
    commands: list[Command] = []
    settings: list[Setting] = []
    for one in found.items if found is not None else ():
        target = one.get("module") or one.get("program")
        if target is None or target.kind != "scalar":
            continue
        given = one.get("args")
        words = [_word(target)]
        words += [_word(item) for item in (given.items if given is not None else ()) if item.kind == "scalar"]
        first, last = words[0], words[-1]
        names = ("python", "-m") if target is one.get("module") else ("python",)
        before = [first._replace(text=text, known=True) for text in names]
        place = (first.line, first.column, last.end_line, last.end_column)
        commands.append(Command(tuple(before + words), (), place[0], place[1], place[2], place[3], 0, "editor"))
        settings += environment_of(one.get("env"))
    return empty._replace(commands=tuple(commands), settings=tuple(settings))


def _word(node: Node) -> Word:
    return Word(node.text, "${" not in node.text, node.line, node.column, node.end_line, node.end_column)


_READERS: dict[str, Callable[[Document, Sequence[Line], Recipe], Recipe]] = {
    "cluster": read_cluster,
    "compose": read_compose,
    "devcontainer": read_devcontainer,
    "github": read_github,
    "gitlab": read_gitlab,
    "azure": read_azure,
    "vscode": _vscode,
}
