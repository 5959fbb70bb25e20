"""Find the containers that commands start: ``docker run`` and its like, with their image and what they are given."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dlgovern.evidence.recipe import Image, Pod, Recipe
from dlgovern.evidence.script import Command, Word

_PROGRAMS = frozenset(("docker", "podman", "nvidia-docker", "nerdctl"))
_SWITCHES = frozenset(
    ("detach", "interactive", "tty", "rm", "init", "privileged", "read-only", "publish-all", "no-healthcheck", "oom-kill-disable",
     "sig-proxy", "quiet", "help", "disable-content-trust", "replace")
)
_SHORT = re.compile(r"-[ditPqh]+$")


def containers(recipe: Recipe) -> Iterator[tuple[Pod, Image | None]]:
    """The containers that the commands of a file start, in their order."""
    for command in recipe.commands:
        found = _container(command)
        if found is not None:
            yield found


def _container(command: Command) -> tuple[Pod, Image | None] | None:
    words = list(command.words)
    while words and words[0].text in ("sudo", "exec", "nohup"):
        words.pop(0)
    if len(words) < 3 or words[0].text.rpartition("/")[2] not in _PROGRAMS or words[1].text not in ("run", "create"):  # noqa: PLR2004
        return None
    options: dict[str, str] = {}
    index = 2
    while index < len(words) and words[index].text.startswith("-"):
        name, equals, value = words[index].text.partition("=")
        index += 1
        if _SHORT.match(name) or name.lstrip("-") in _SWITCHES:
            continue
        if not equals and index < len(words):
            value = words[index].text
            index += 1
        options[name.lstrip("-")] = f"{options.get(name.lstrip('-'), '')} {value}"
    image = words[index] if index < len(words) else None
    gpus = -1 if "gpus" in options or words[0].text == "nvidia-docker" or "nvidia" in options.get("runtime", "") else 0
    shared = "shm-size" in options or "host" in options.get("ipc", "") or any("/dev/shm" in options.get(key, "") for key in ("v", "volume", "mount", "tmpfs"))
    unknown = image is not None and not image.known and image.text.startswith("$")  # it may hold options too
    pod = Pod("docker", " ".join(word.text for word in words[index + 1 :])[:500], gpus, 1, shared or unknown, "", -1, words[0].line, words[0].column, words[1].end_column)
    return pod, _image(image) if image is not None and not unknown else None


def _image(word: Word) -> Image | None:
    if word.text.startswith("`") or not word.text:
        return None
    return Image(word.text, word.known, True, word.line, word.column, word.end_column)
