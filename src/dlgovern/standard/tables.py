"""Read a TOML file that people write into a model, every mistake at once with its file and line."""

from __future__ import annotations

from typing import Annotated, Any, get_origin

import tomli
from pydantic import BaseModel, StringConstraints, ValidationError

from dlgovern.errors import Mistake, suggestion
from dlgovern.standard.locate import Lines

Line = Annotated[str, StringConstraints(min_length=1, pattern=r"^[^\n]*$")]
"""One line of text."""

_LARGEST = 512 * 1024


def validated(
    model: type[BaseModel], path: str, name: str, mistakes: list[Mistake]
) -> Any:
    """A TOML file as the model, or None; what is wrong with it joins ``mistakes``, under the name ``name``."""
    data, lines = parsed(path, name, mistakes)
    return None if data is None else fitted(model, data, name, lines, mistakes)


def parsed(path: str, name: str, mistakes: list[Mistake]) -> tuple[dict[str, Any] | None, Lines]:
    """A TOML file and where its keys stand; None for one that cannot be read, and why joins ``mistakes``."""
    try:
        with open(path, "rb") as file:
            raw = file.read(_LARGEST + 1)
        if len(raw) > _LARGEST:
            raise ValueError("larger than 512 KiB")
        text = raw.decode("utf-8")
        return tomli.loads(text), Lines(text)
    except FileNotFoundError:
        mistakes.append(Mistake(name, 0, "there is no such file"))
    except tomli.TOMLDecodeError as error:
        mistakes.append(Mistake(name, getattr(error, "lineno", 0), f"not valid TOML: {error}"))
    except (OSError, ValueError, RecursionError) as error:
        mistakes.append(Mistake(name, 0, f"cannot be read: {error}"))
    return None, Lines("")


def fitted(
    model: type[BaseModel],
    data: dict[str, Any],
    name: str,
    lines: Lines,
    mistakes: list[Mistake],
    extra: list[str] | None = None,
) -> Any:
    """The data as the model, or None; every mistake joins ``mistakes`` with its line. ``extra`` are keys read elsewhere."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        for wrong in error.errors():
            place = [part for part in wrong["loc"] if part != "schema_"]
            shown = ".".join(map(str, place))
            what = f"{shown}: {_plain(wrong)}"
            if wrong["type"] == "extra_forbidden":
                what = f"{shown} is unknown{suggestion(str(place[-1]), [*_keys(model, place), *(extra or [])])}"
            mistakes.append(Mistake(name, lines.line(place), what))
    return None


def _plain(wrong: Any) -> str:
    return str(wrong["msg"]).removeprefix("Value error, ")


def _keys(model: type[BaseModel], place: list[Any]) -> list[str]:
    current: Any = model
    chosen = False  # the next part is a key that the author chose, as in profiles.NAME
    for part in place[:-1]:
        if chosen or isinstance(part, int) or not hasattr(current, "model_fields"):
            chosen = False
            continue
        field = current.model_fields.get(part)
        if field is None:
            return []
        chosen = get_origin(field.annotation) is dict
        current = _inner_model(field.annotation) or current
    return [field.alias or key for key, field in getattr(current, "model_fields", {}).items()]


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        if found := _inner_model(part):
            return found
    return None
