"""Begin a new rule: a file that validates, and says TODO wherever only its author knows."""

from __future__ import annotations

import os
import re

from dlgovern import detect
from dlgovern.detect import Parameter
from dlgovern.errors import UsageError
from dlgovern.standard.compile import FAMILIES


def create(rule_id: str, name: str, detector: str, folder: str) -> str:
    """Write the skeleton into the family's folder below ``folder`` and return its path. Raises UsageError."""
    if not re.fullmatch(r"[A-Z]{3}[0-9]{3}", rule_id) or rule_id[3] not in FAMILIES:
        families = ", ".join(f"{digit} {family}" for digit, family in FAMILIES.items())
        raise UsageError(f"{rule_id!r} is no rule id", do=f"three capitals and three digits, the first of them: {families}")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise UsageError(f"{name!r} is no rule name", do="lower-case words joined by hyphens, such as unsafe-torch-load")
    try:
        module = detect.load(detector)
    except ImportError:
        raise UsageError(f"there is no detector {detector!r}", do=f"known: {', '.join(detectors())}") from None
    family = FAMILIES[rule_id[3]]
    target = folder if os.path.basename(os.path.normpath(folder)) == family else os.path.join(folder, family)
    path = os.path.join(target, f"{rule_id}-{name}.toml")
    taken = [other for other in _files(target) if other.startswith(f"{rule_id}-")]
    if taken:
        raise UsageError("exists already", os.path.join(target, taken[0]), "choose another id")
    os.makedirs(target, exist_ok=True)
    try:
        with open(path, "x", encoding="utf-8", newline="\n") as file:
            file.write(text(rule_id, name, detector, module.PARAMETERS))
    except FileExistsError:
        raise UsageError("exists already", path, "choose another id or name") from None
    return path


def detectors() -> list[str]:
    """The names of the shipped ways of seeing."""
    folder = os.path.dirname(detect.__file__ or "")
    names = [name.removesuffix(".py") for name in os.listdir(folder) if name.endswith(".py") and name != "__init__.py"]
    return sorted(name for name in names if hasattr(detect.load(name), "PARAMETERS"))


def text(rule_id: str, name: str, detector: str, parameters: dict[str, Parameter]) -> str:
    """The skeleton of a rule file."""
    table = detector.rpartition(":")[2]
    lines = []
    for word, parameter in parameters.items():
        mark = "" if parameter.required else "# "
        lines.append(f"{mark}{word} = {_PLACEHOLDERS.get(parameter.kind, _QUOTED)}  # {parameter.help}")
    return _TEXT.format(id=rule_id, name=name, detector=detector, table=table, parameters="\n".join(lines))


def _files(folder: str) -> list[str]:
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


_QUOTED = '"TODO"'
_PLACEHOLDERS = {
    "names": '["todo.todo"]',
    "strings": '["TODO"]',
    "boolean": "true",
    "integer": "1",
    "predicates": '[{ argument = "todo", given = true }]',
    "lower": '[{ when = { argument = "todo", given = true }, confidence = "low" }]',
    "table": "{}",
}

_TEXT = """\
id = "{id}"
name = "{name}"
since = "0.1"
summary = "TODO: what is wrong, in one line"
message = "TODO: a fact in one line, lower case, no final stop; the detector fills {{slots}}"
why = '''
TODO: what happens to whoever ignores this.
'''
instead = '''
TODO: what to write.
'''
limits = "TODO: what this rule does not see."
confidence = "medium"
references = ["TODO"]
detect = "{detector}"

[{table}]
{parameters}

[[example]]
name = "TODO: first bad"
bad = '''
TODO = 1
'''
at = [1]

[[example]]
name = "TODO: second bad"
bad = '''
TODO = 2
'''
at = [1]

[[example]]
name = "TODO: a near miss"
ok = '''
TODO = 3
'''
why_ok = "TODO: what keeps it silent"

[[example]]
name = "TODO: another near miss"
ok = '''
TODO = 4
'''
why_ok = "TODO: what keeps it silent"
"""
