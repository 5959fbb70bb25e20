"""Say which script or module each command starts, by which launcher, with how many processes on how many nodes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from dlgovern.evidence.recipe import Recipe
from dlgovern.evidence.script import SHORT, Command, Setting, Word
from dlgovern.evidence.shell import read_shell
from dlgovern.evidence.words import Line
from dlgovern.repository.launchers import FLAGS, Launcher, launcher_of

_MOST_STEPS = 12


class Option(NamedTuple):
    """An option of a launcher; ``value`` is "" for a switch. ``known``: the value is what the launcher gets."""

    name: str  # long, with dashes for underscores: nproc-per-node
    value: str
    known: bool
    line: int
    column: int
    end_column: int


class Step(NamedTuple):
    """One launcher of a chain such as ``srun torchrun``."""

    name: str
    options: dict[str, Option]
    line: int
    column: int
    end_line: int
    end_column: int


class Launch(NamedTuple):
    """One start of a program. ``target`` is a script, or a module where ``module``; "" where it is not known."""

    steps: tuple[Step, ...]  # from the outermost
    target: Word | None
    module: bool
    arguments: tuple[Word, ...]
    settings: tuple[Setting, ...]
    command: Command

    @property
    def launcher(self) -> str:
        """The innermost launcher: the one that starts the program."""
        return self.steps[-1].name if self.steps else ""

    def step(self, *names: str) -> Step | None:
        """The step of this name, None where the chain has none."""
        return next((step for step in self.steps if step.name in names), None)


def launches(recipe: Recipe) -> list[Launch]:
    """Every start of a program that this file describes."""
    return [launch for command in recipe.commands for launch in launches_of(command)]


def launches_of(command: Command) -> Iterator[Launch]:
    """The starts that one command stands for; a string given to a shell is read as a script."""
    steps: list[Step] = []
    settings = list(command.settings)
    words = list(command.words)
    for _ in range(_MOST_STEPS):
        words = _without_settings(words, settings)
        if not words:
            return
        if (script := _script(words)) is not None:
            for inner in script.commands:
                for launch in launches_of(_placed(inner, command)):
                    yield launch._replace(steps=(*steps, *launch.steps), settings=(*settings, *launch.settings))
            return
        found = launcher_of([word.text for word in words[:8]])
        if found is None:
            if (script := _named_script(words)) is not None:
                first, rest = script
                steps.append(Step("script", {}, words[0].line, words[0].column, first.end_line, first.end_column))
                yield Launch(tuple(steps), first, False, tuple(rest), tuple(settings), command)
            return
        launcher, taken = found
        first = words[0]
        options, rest = _options(words[taken:], launcher)
        last = words[len(words) - len(rest) - 1]
        steps.append(Step(launcher.name, options, first.line, first.column, last.end_line, last.end_column))
        if launcher.ends:
            module = "module" in options
            target = rest[0] if rest else None
            if module and options["module"].value:
                at = options["module"]
                target = Word(at.value, at.known, at.line, at.column, at.line, at.end_column)
            elif target is not None:
                rest = rest[1:]
            if launcher.name == "python" and target is not None and target.text in ("-", "-c"):
                return
            if target is not None and "no-python" in options:
                words = [target, *rest]
                continue
            yield Launch(tuple(steps), target, module, tuple(rest), tuple(settings), command)
            return
        words = rest


def _without_settings(words: list[Word], settings: list[Setting]) -> list[Word]:
    """``env A=b program`` and a program behind assignments."""
    while words:
        match = re.match(r"([A-Za-z_]\w*)=(.*)", words[0].text, re.S)
        if match is None:
            return words
        word = words.pop(0)
        settings.append(Setting(match.group(1), match.group(2), word.known, True, *word[2:]))
    return words


_DASH_C = re.compile(r"-[a-z]*c$")


def _script(words: list[Word]):  # type: ignore[no-untyped-def]  # noqa: ANN202 - a Script or None
    if words[0].text.rpartition("/")[2] not in ("bash", "sh", "zsh", "eval", "ssh"):
        return None
    for index, word in enumerate(words[1:6], 1):
        if _DASH_C.match(word.text) and index + 1 < len(words):
            script = words[index + 1]
            return read_shell([Line(script.text.replace("\n", " ; "), script.line, script.column)])
    return None


_SCRIPT = re.compile(r"\S+\.(?:sh|bash|slurm|sbatch)$")


def _named_script(words: list[Word]) -> tuple[Word, list[Word]] | None:
    """A script that is run by its name, or given to a shell, and its arguments."""
    if words[0].text.rpartition("/")[2] in ("bash", "sh", "zsh", "source", "."):
        words = words[1:]
        while words and words[0].text.startswith(("-", "+")):
            words = words[1:]
    if words and _SCRIPT.match(words[0].text):
        return words[0], words[1:]
    return None


def _placed(inner: Command, outer: Command) -> Command:
    """A command inside a string stands where the string does; its lines are not counted again."""
    return inner._replace(line=outer.line, column=outer.column, end_line=outer.end_line, end_column=outer.end_column,
                          branch=outer.branch, source=outer.source)


def _options(words: list[Word], launcher: Launcher) -> tuple[dict[str, Option], list[Word]]:
    """The options of a launcher, each under its long name, and the words behind them."""
    found: dict[str, Option] = {}
    index = 0
    while index < len(words):
        word = words[index]
        text = word.text
        if text == "--":
            index += 1
            break
        if not text.startswith("-") or text == "-":
            break
        index += 1
        name, equals, value = text.partition("=")
        long = normal(name, launcher)
        known = word.known
        place = (word.line, word.column, word.end_column)
        if not equals:
            joined = re.match(r"-([A-Za-z])([0-9]+)$", name)
            if joined and joined.group(1) in launcher.short:  # -n4
                long, value = launcher.short[joined.group(1)], joined.group(2)
            elif long not in launcher.flags and long not in FLAGS and index < len(words):
                nxt = words[index]
                value, known = nxt.text, known and nxt.known
                place = (word.line, word.column, nxt.end_column if nxt.line == word.line else word.end_column)
                index += 1
                extra = launcher.many.get(long, 0)
                index = min(index + extra, len(words))
        if launcher.name == "python" and long == "c":
            return {**found, "c": Option("c", "", True, *place)}, [word._replace(text="-c")]
        found[long] = Option(long, value, known, *place)
        if launcher.stops_at and long in launcher.stops_at:
            break
    return found, words[index:]


def normal(name: str, launcher: Launcher | None = None) -> str:
    """The long name of an option, with dashes inside."""
    bare = name.lstrip("-")
    if launcher is not None and len(bare) == 1:
        bare = launcher.short.get(bare, bare)
    return bare.replace("_", "-")


def whole(option: Option | None) -> int | None:
    """The whole number that an option says, None where it says none or it is not known."""
    if option is None or not option.known:
        return None
    return int(option.value) if re.fullmatch(r"[0-9]{1,6}", option.value) else None


class Request(NamedTuple):
    """What a batch file asks of a scheduler, by option; `place` says where."""

    options: dict[str, Option]

    def number(self, name: str) -> int | None:
        """The whole number of an option."""
        return whole(self.options.get(name))


def request(recipe: Recipe) -> Request:
    """The ``#SBATCH`` lines of a script; of two alike the last, as sbatch takes them."""
    found: dict[str, Option] = {}
    for one in recipe.directives:
        known = "$" not in one.value and "{" not in one.value and "<" not in one.value
        found[SHORT.get(one.name, one.name)] = Option(one.name, one.value, known, one.line, one.column, one.end_column)
    return Request(found)


def gpus_per_node(request: Request) -> tuple[int, Option] | None:
    """GPUs of a node as a batch file asks for them."""
    for name in ("gpus-per-node", "gres"):
        option = request.options.get(name)
        if option is None or not option.known:
            continue
        text = option.value.removeprefix("gpu:") if name == "gres" else option.value
        if name == "gres" and not option.value.startswith("gpu"):
            continue
        last = text.rpartition(":")[2]
        if re.fullmatch(r"[0-9]{1,4}", last):
            return int(last), option
    return None


def every(recipes: Iterable[Recipe]) -> list[tuple[Recipe, Launch]]:
    """The launch graph of a repository: each start with the file it stands in."""
    return [(recipe, launch) for recipe in recipes for launch in launches(recipe)]
