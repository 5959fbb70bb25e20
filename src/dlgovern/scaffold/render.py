"""Render text of a template with answers: a sandbox that knows no file, no code and no name but those it is given."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from typing import Any

import jinja2
from jinja2 import meta
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from dlgovern.report.display import markdown

KEPT = frozenset(
    """
    abs count default dictsort first indent int items join last length list lower map max min reject rejectattr replace
    reverse select selectattr sort sum title trim unique upper
    """.split()
)
"""Jinja's own filters that templates may use."""

_LARGEST = 4 << 20  # characters of one rendered file
_LONGEST = 1 << 16  # of a repeated string or list


class Text(str):
    """Free text of a person: one printable line that may hold quotes, so it is printed through a filter only."""

    __slots__ = ()


class Unrenderable(Exception):
    """A text that cannot be rendered; ``why`` says what is wrong, ``line`` where, 0 if unknown."""

    def __init__(self, why: str, line: int = 0) -> None:
        super().__init__(why)
        self.why = why
        self.line = line


class Renderer:
    """Renders texts and decides conditions of one template with one set of names."""

    def __init__(self, names: dict[str, Any], parts: dict[str, str] | None = None) -> None:
        self.names = names
        self._environment = _Sandbox(parts or {})
        self._decided: dict[str, bool] = {}

    def text(self, source: str) -> str:
        """``source`` rendered. Raises `Unrenderable`."""
        try:
            pieces = []
            size = 0
            for piece in self._environment.from_string(source).generate(self.names):
                pieces.append(piece)
                size += len(piece)
                if size > _LARGEST:
                    raise Unrenderable("becomes larger than 4 million characters")
            return "".join(pieces)
        except _ERRORS as error:
            raise _unrenderable(error) from None

    def holds(self, condition: str) -> bool:
        """Whether a condition is true; an empty one is. Raises `Unrenderable`."""
        if not condition:
            return True
        if condition not in self._decided:
            try:
                found = self._environment.compile_expression(condition, undefined_to_none=False)(self.names)
                self._decided[condition] = bool(found)
            except _ERRORS as error:
                raise _unrenderable(error) from None
        return self._decided[condition]

    def unknown(self, source: str, *, condition: bool = False) -> list[str]:
        """Names that a text or condition uses and nobody gives, sorted, whatever branch they stand in."""
        try:
            tree = self._environment.parse(f"<@ {source} @>" if condition else source)
        except _ERRORS as error:
            raise _unrenderable(error) from None
        return sorted(meta.find_undeclared_variables(tree) - set(self.names))


def package(name: str) -> str:
    """An importable name made of a project's name: ``Big-Model`` becomes ``big_model``."""
    made = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return f"p{made}" if made[:1].isdigit() else made


def toml(value: Any) -> str:
    """A value as TOML, on one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{toml_key(key)} = {toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    return json.dumps(_plain(value), ensure_ascii=False)


def toml_key(key: str) -> str:
    """A key as TOML writes it."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else toml(str(key))


def _json(value: Any) -> str:
    return json.dumps(_plain(value), ensure_ascii=False)


def _python(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_python(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_python(key)}: {_python(item)}" for key, item in value.items()) + "}"
    return _quoted(value) if isinstance(value, str) else repr(_plain(value))


def _quoted(text: str) -> str:
    """A string literal as a formatter leaves it: in the quotes that need fewer escapes, double ones if both need as many."""
    double = json.dumps(text, ensure_ascii=False)
    if text.count('"') <= text.count("'"):
        return double
    return "'" + double[1:-1].replace("'", "\\'").replace('\\"', '"') + "'"


def _shell(value: Any) -> str:
    return " ".join(map(_shell, value)) if isinstance(value, list | tuple) else shlex.quote(str(_plain(value)))


def _docstring(value: Any) -> str:
    return str(_plain(value)).replace("\\", "\\\\").replace('"', '\\"')


def _line(value: Any) -> str:
    return str(_plain(value))


def _markdown(value: Any) -> str:
    return markdown(str(_plain(value)))


def _plain(value: Any) -> Any:
    """The value, unless it is one that no name stands for."""
    if value is None or isinstance(value, jinja2.Undefined):
        raise SecurityError("there is no value to print")
    return value


FILTERS: dict[str, Callable[[Any], str]] = {
    "toml": toml,
    "yaml": _json,  # every JSON value is one of YAML 1.2 flow style
    "json": _json,
    "python": _python,
    "docstring": _docstring,
    "shell": _shell,
    "markdown": _markdown,
    "line": _line,
    "package": package,
}
"""Name -> filter; each escapes for one place."""


def _bare(value: Any) -> Any:
    """What is printed without a filter: text that is safe everywhere, or a number."""
    if isinstance(value, Text) or not isinstance(value, str | int) or isinstance(value, bool):
        if isinstance(value, jinja2.Undefined):
            return value  # says itself which name is unknown
        kind = "free text" if isinstance(value, Text) else f"a {type(value).__name__}"
        raise SecurityError(f"{kind} is printed without a filter; add one for the place: {', '.join(FILTERS)}")
    return value


_CODE: dict[tuple[str, Any, Any], Any] = {}


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja without extensions, with our delimiters and filters."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def __init__(self, parts: dict[str, str]) -> None:
        super().__init__(
            block_start_string="<%", block_end_string="%>", variable_start_string="<@", variable_end_string="@>",
            comment_start_string="<#", comment_end_string="#>", trim_blocks=True, lstrip_blocks=True,
            keep_trailing_newline=True, undefined=jinja2.StrictUndefined, finalize=_bare, autoescape=False,
            loader=jinja2.DictLoader(parts), auto_reload=False,
        )  # fmt: skip
        self.filters = {name: self.filters[name] for name in KEPT} | FILTERS
        self.globals = {"range": self.globals["range"]}

    def compile(self, source: Any, name: Any = None, filename: Any = None, raw: Any = False, defer_init: Any = False) -> Any:
        """Code of a text; every sandbox is set up alike, so the code of one serves all."""
        if not isinstance(source, str) or raw or defer_init:
            return super().compile(source, name, filename, raw, defer_init)
        key = (source, name, filename)
        if key not in _CODE:
            _CODE[key] = super().compile(source, name, filename)
        return _CODE[key]

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic, as long as it stays small."""
        if operator == "**" or (isinstance(left, str) and operator == "%"):
            raise SecurityError(f"{operator} is not at hand in templates")
        if operator == "*":
            sizes = [len(side) if isinstance(side, str | list | tuple) else abs(side) for side in (left, right)]
            if sizes[0] * sizes[1] > _LONGEST:
                raise SecurityError("a product is too large for a template")
        return super().call_binop(context, operator, left, right)


_ERRORS: tuple[type[Exception], ...] = (
    jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError, AssertionError,
)  # fmt: skip


def _unrenderable(error: Exception) -> Unrenderable:
    """Jinja's error with the line of the text in it."""
    line = getattr(error, "lineno", None) or 0
    trace = error.__traceback__
    while trace and not line:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    why = getattr(error, "message", None) or str(error) or type(error).__name__
    return Unrenderable(str(why), line)
