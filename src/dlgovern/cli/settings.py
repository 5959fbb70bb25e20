"""A project's configuration: ``[tool.dlgovern]`` or ``dlgovern.toml``, the nearest above what is judged."""


import os
from typing import Any, NamedTuple

from dlgovern import bundled
from dlgovern.errors import ConfigurationError, Mistake, StandardError, suggestion
from dlgovern.finding import CONFIDENCES, LEVELS
from dlgovern.standard.law import REFERENCE
from dlgovern.store import Store, key

_LARGEST = 256 * 1024
_BUILD_FILES = ("pyproject.toml", "setup.py", "setup.cfg", "dlgovern.toml")
_STRINGS = "a list of strings"
KEYS: dict[str, str] = {
    "standard": "a string",
    "profile": "a string",
    "select": _STRINGS,
    "ignore": _STRINGS,
    "extend-select": _STRINGS,
    "extend-ignore": _STRINGS,
    "exclude": _STRINGS,
    "extend-exclude": _STRINGS,
    "respect-gitignore": "true or false",
    "force-exclude": "true or false",
    "fail-on": "one of " + ", ".join(LEVELS),
    "min-confidence": "one of " + ", ".join(CONFIDENCES),
    "output-format": "a string",
    "cache-dir": "a string",
    "levels": "a table of rule or family to level",
    "parameters": "a table of rule to a table of its parameters",
    "window": "a table of library to version specifier",
    "metadata": "a table of what the company asks of a project",
}
"""Every key of the configuration, with what its value must be."""


class Settings(NamedTuple):
    """The configuration as found. ``values`` holds only known keys, each of the right form."""

    root: str  # absolute; paths in the configuration count from here
    path: str  # the file it came from, "" for none
    values: dict[str, Any]


def find_settings(start: str, store: Store, *, isolated: bool = False, modules: bool = False) -> Settings:
    """The configuration for a file or folder. Raises StandardError with every mistake in it.

    The root is the folder of the configuration, else the repository, else the nearest folder with a build file, else
    the folder itself; ``modules``: single files in it were named, so it is the one that their package lies in.
    """
    folder = os.path.realpath(start)
    if not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    project = ""  # the nearest folder that a build file marks
    current = folder
    while True:
        if not isolated:
            for name in ("dlgovern.toml", "pyproject.toml"):
                path = os.path.join(current, name)
                if (values := _read(path, store)) is not None:
                    return Settings(current, path, values)
        if os.path.exists(os.path.join(current, ".git")):
            return Settings(current, "", {})
        if not project and any(os.path.isfile(os.path.join(current, name)) for name in _BUILD_FILES):
            project = current
        parent = os.path.dirname(current)
        if parent == current:
            return Settings(project or (_above_package(folder) if modules or not os.path.isdir(start) else folder), "", {})
        current = parent


def _above_package(folder: str) -> str:
    """The folder from which the modules in ``folder`` are imported: a file that is named alone still sees its package."""
    while os.path.isfile(os.path.join(folder, "__init__.py")) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    return folder


def read_settings(path: str, store: Store) -> Settings:
    """The configuration in a file named on the command line."""
    values = _read(os.path.realpath(path), store, named=True)
    if values is None:
        raise ConfigurationError("holds no configuration of dlgovern", path, "add [tool.dlgovern], or name a dlgovern.toml")
    return Settings(os.path.dirname(os.path.realpath(path)), path, values)


def override(values: dict[str, Any], text: str) -> dict[str, Any]:
    """The configuration with one ``key=value`` in TOML laid over it. Raises StandardError."""
    import tomli  # cold

    try:
        said = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise ConfigurationError(f"not `key = value` in TOML: {error}", "--config") from None
    mistakes = _mistakes(said, "--config", None)
    if mistakes:
        raise StandardError(mistakes)
    merged = dict(values)
    for word, value in said.items():
        merged[word] = {**merged.get(word, {}), **value} if isinstance(value, dict) else value
    return merged


def standard_named(asked: str | None) -> tuple[str, str]:
    """The name of the standard and the folder it counts from: the one asked for, else that of the project around."""
    if asked:
        return asked, os.getcwd()
    settings = find_settings(os.getcwd(), Store(""))
    return str(settings.values.get("standard", REFERENCE)), settings.root


def _read(path: str, store: Store, *, named: bool = False) -> dict[str, Any] | None:
    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST + 1)
    except FileNotFoundError:
        if named:
            raise ConfigurationError("no such file", path) from None
        return None
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}", path) from None
    inner = os.path.basename(path) == "pyproject.toml"
    if inner and b"dlgovern" not in data:
        return None
    if len(data) > _LARGEST:
        raise ConfigurationError("is larger than 256 KiB", path)
    name = f"settings-{key(data.hex(), inner, bundled.version())}.json"
    cached = store.get(name)
    if isinstance(cached, dict) and "values" in cached:
        return None if cached["values"] is None else dict(cached["values"])
    values = _parse(path, data, inner)
    store.put(name, {"values": values})
    return values


def _parse(path: str, data: bytes, inner: bool) -> dict[str, Any] | None:
    import tomli  # cold: the result is cached

    from dlgovern.standard.locate import Lines

    try:
        text = data.decode("utf-8")
        whole = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise StandardError([Mistake(path, getattr(error, "lineno", 0), f"not valid TOML: {error}")]) from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise StandardError([Mistake(path, 0, f"cannot be read as TOML: {error}")]) from None
    values = whole
    if inner:
        tool = whole.get("tool", {})
        ours = tool.get("dlgovern") if isinstance(tool, dict) else None
        if ours is None:
            return None
        if not isinstance(ours, dict):
            raise StandardError([Mistake(path, 0, "tool.dlgovern must be a table")])
        values = ours
    mistakes = _mistakes(values, path, Lines(text), ("tool", "dlgovern") if inner else ())
    if mistakes:
        raise StandardError(mistakes)
    return values


def _mistakes(values: dict[str, Any], path: str, lines: Any, prefix: tuple[str, ...] = ()) -> list[Mistake]:
    found = []
    for word, value in values.items():
        line = lines.line((*prefix, word)) if lines else 0
        if word not in KEYS:
            found.append(Mistake(path, line, f"{word} is unknown{suggestion(word, list(KEYS))}"))
        elif not _fits(word, value):
            found.append(Mistake(path, line, f"{word} must be {KEYS[word]}"))
    return found


def _fits(word: str, value: Any) -> bool:
    wanted = KEYS[word]
    if wanted == _STRINGS:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if wanted == "true or false":
        return isinstance(value, bool)
    if word == "levels":
        return isinstance(value, dict) and all(level in ("off", *LEVELS) for level in value.values())
    if word == "parameters":
        return isinstance(value, dict) and all(isinstance(table, dict) for table in value.values())
    if word == "window":
        return isinstance(value, dict) and all(isinstance(spec, str) for spec in value.values())
    if wanted.startswith("a table"):
        return isinstance(value, dict)
    if word == "fail-on":
        return value in LEVELS
    if word == "min-confidence":
        return value in CONFIDENCES
    return isinstance(value, str)
