"""Turn what a person said into answers that fit the questions of a template, or say everything that does not fit."""

from __future__ import annotations

import datetime
import keyword
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

from dlgovern.errors import UsageError, suggestion
from dlgovern.report.display import display
from dlgovern.scaffold.load import Template
from dlgovern.scaffold.render import Renderer, Text, Unrenderable, package
from dlgovern.scaffold.template import Answer, Question

Ask = Callable[[Question, Answer | None], str]
"""Asks a person: the question and its default; gives what they typed."""

_LONGEST = 200
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?"
_PACKAGE = r"[a-z][a-z0-9_]{0,63}"
DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{kind}{n}" for kind in ("com", "lpt") for n in range(10))})
"""Names that no file may have on Windows."""
_OURS = frozenset("dlgovern torch torchvision torchaudio numpy onnx onnxruntime onnxscript safetensors lightning transformers".split())
_FOLDERS = frozenset("src tests test docs configs launch build dist site-packages project package setup conftest".split())

NAME = Question(name="name", type="str", help="the project's name", pattern=_NAME)
PACKAGE = Question(name="package", type="str", help="the Python package", pattern=_PACKAGE, default="<@ name | package @>")


class AnswersError(UsageError):
    """Answers that do not fit; ``wrong`` holds (question, what is wrong) in the order of the questions."""

    def __init__(self, wrong: list[tuple[str, str]]) -> None:
        super().__init__(f"{len(wrong)} answer{'s do' if len(wrong) != 1 else ' does'} not fit")
        self.wrong = wrong

    def lines(self) -> list[str]:
        """One line an answer, then the count."""
        return [f"{name}: {why}" if name else why for name, why in self.wrong] + [self.what]


def questions(template: Template) -> tuple[Question, ...]:
    """What is asked of everybody, then what the template asks."""
    own = {question.name: question for question in template.questions}
    return (own.pop("name", NAME), own.pop("package", PACKAGE), *own.values())


def settle(
    template: Template, said: Mapping[str, Any], *, ask: Ask | None = None, recorded: Mapping[str, Any] | None = None
) -> dict[str, Answer]:
    """An answer to every question: what was said, else what is recorded, else what ``ask`` gets, else the default.

    ``said`` holds strings as typed, or values as a file gives them. Raises `AnswersError` with everything wrong.
    """
    recorded = recorded or {}
    asked = questions(template)
    known = [question.name for question in asked]
    wrong = [(name, f"nobody asks this{suggestion(name, known)}") for name in said if name not in known]
    wrong += [(name, "the template fixes this") for name in said if name in template.fixed and said[name] != template.fixed[name]]
    answers: dict[str, Answer] = {}
    for question in asked:
        try:
            answers[question.name] = _one(template, question, answers, said, recorded, ask)
        except _Unfit as error:
            wrong.append((question.name, error.why))
            answers[question.name] = _stand_in(question)
    if not wrong:
        wrong += _demands(template, answers)
    if wrong:
        raise AnswersError(wrong)
    return answers


def names(template: Template, answers: Mapping[str, Answer], standard: Mapping[str, str]) -> dict[str, Any]:
    """The names that files of the template are rendered with."""
    free = {question.name for question in questions(template) if question.type == "str" and not question.pattern}
    return {
        **{name: Text(value) if name in free else value for name, value in answers.items()},
        "template": {"id": template.id, "version": template.version},
        "standard": {**standard, "source": Text(standard["source"])},
    }


def fit(question: Question, value: Any) -> Answer:
    """The value as an answer. Raises ValueError with what is wrong."""
    try:
        return _fit(question, value)
    except _Unfit as error:
        raise ValueError(error.why) from None


class _Unfit(Exception):
    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def _one(
    template: Template, question: Question, answers: dict[str, Answer], said: Mapping[str, Any],
    recorded: Mapping[str, Any], ask: Ask | None,
) -> Answer:
    name = question.name
    default = _default(template, question, answers)
    if name in template.fixed:
        return _fit(question, template.fixed[name])
    if not _applies(question, answers):
        if name in said and _fit(question, said[name]) != default:
            raise _Unfit(f"means nothing here: it is asked only when {question.when}")
        return _fit(question, default)
    if name in said:
        return _fresh(question, _fit(question, said[name]))
    if name in recorded:
        return _fit(question, recorded[name])
    if ask:
        return _asked(question, default, ask)
    if default is None:
        raise _Unfit(f"needs an answer: {question.help}; give it with --set {name}=…")
    return _fresh(question, _fit(question, default))


def _asked(question: Question, default: Answer | None, ask: Ask) -> Answer:
    """What a person types, asked again as long as it does not fit."""
    shown = question
    while True:
        typed = ask(shown, default)
        try:
            if not typed.strip() and default is not None:
                return _fresh(question, _fit(question, default))
            return _fresh(question, _fit(question, typed.strip()))
        except _Unfit as error:
            shown = question.model_copy(update={"help": f"{question.help} ({error.why})"})


def _default(template: Template, question: Question, answers: dict[str, Answer]) -> Answer | None:
    default = template.defaults.get(question.name, question.default)
    if not isinstance(default, str) or "<@" not in default:
        return default
    at_hand = {**answers, "today": datetime.datetime.now(tz=datetime.UTC).date().isoformat()}
    try:
        return Renderer(at_hand).text(default)
    except Unrenderable as error:
        raise _Unfit(f"the template's default cannot be made: {error.why}") from None


def _applies(question: Question, answers: dict[str, Answer]) -> bool:
    try:
        return Renderer(dict(answers)).holds(question.when)
    except Unrenderable as error:
        raise _Unfit(f"the template's condition {question.when!r} cannot be decided: {error.why}") from None


def _demands(template: Template, answers: dict[str, Answer]) -> list[tuple[str, str]]:
    wrong = []
    decide = Renderer(dict(answers))
    for demand in template.demands:
        try:
            if not decide.holds(demand.that):
                wrong.append(("", demand.message))
        except Unrenderable as error:
            wrong.append(("", f"the template's demand {demand.that!r} cannot be decided: {error.why}"))
    return wrong


def _fit(question: Question, value: Any) -> Answer:
    if question.type == "bool":
        return _bool(value)
    if question.type == "int":
        return _int(question, value)
    if question.type == "multi":
        return _multi(question, value)
    if not isinstance(value, str):
        raise _Unfit("expected a string")
    if question.type == "choice":
        return _choice(question, value)
    if len(value) > _LONGEST:
        raise _Unfit(f"is longer than {_LONGEST} characters")
    if display(value) != value or value != value.strip():
        raise _Unfit("must be one line of printable characters, without blanks around it")
    if question.pattern and not re.fullmatch(question.pattern, value):
        raise _Unfit(f"{value!r} does not match {question.pattern}")
    return value


def _bool(value: Any) -> bool:
    words = {"true": True, "yes": True, "y": True, "on": True, "false": False, "no": False, "n": False, "off": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    raise _Unfit("expected true or false")


def _int(question: Question, value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,9}", value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _Unfit("expected a whole number")
    low, high = question.min, question.max
    if (low is not None and value < low) or (high is not None and value > high):
        raise _Unfit(f"must lie between {'…' if low is None else low} and {'…' if high is None else high}")
    return value


def _multi(question: Question, value: Any) -> list[str]:
    if isinstance(value, str):
        value = [word.strip() for word in value.split(",") if word.strip()]
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise _Unfit(f"expected some of {', '.join(question.choices)}, separated by commas")
    for word in value:
        _choice(question, word)
    return [choice for choice in question.choices if choice in value]


def _choice(question: Question, value: str) -> str:
    if value not in question.choices:
        raise _Unfit(f"{value!r} is none of {', '.join(question.choices)}{suggestion(value, question.choices)}")
    return value


def _fresh(question: Question, value: Answer) -> Answer:
    """A name that may be given to something new."""
    word = str(value)
    if question.name == "name":
        if not re.fullmatch(_NAME, word):
            raise _Unfit(f"{word!r} is no name for a project: letters, digits, '-', '_', '.', beginning and ending with a letter or digit")
        if word.partition(".")[0].lower() in DEVICES:
            raise _Unfit(f"{word!r} is reserved on Windows")
        if package(word) in _OURS or package(word) in sys.stdlib_module_names:
            raise _Unfit(f"{word!r} is the name of a library")
    elif question.name == "package":
        if not re.fullmatch(_PACKAGE, word):
            raise _Unfit(f"{word!r} is no name for a package: lower-case letters, digits and '_', beginning with a letter")
        if keyword.iskeyword(word) or keyword.issoftkeyword(word):
            raise _Unfit(f"{word!r} is a word of Python")
        if word in sys.stdlib_module_names or word in _OURS or word in _FOLDERS or word in DEVICES:
            raise _Unfit(f"{word!r} would hide a library or a folder; give another with --set package=…")
    return value


def _stand_in(question: Question) -> Answer:
    """Something to go on with, so that later mistakes are found too."""
    if question.default is not None:
        return question.default
    return {"bool": False, "int": 0, "multi": []}.get(question.type, "x")  # type: ignore[return-value]
