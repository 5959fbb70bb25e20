"""See container images that the standard does not allow, or whose content can change under their name."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.detect.recipes import guarded
from dlgovern.evidence.recipe import Image, Recipe
from dlgovern.finding import Hit
from dlgovern.policy import Rule
from dlgovern.repository.containers import containers
from dlgovern.repository.window import Windows

PARAMETERS = {
    "allowed": Parameter("strings", "names that are allowed, * as in a shell; none: every name", default=[]),
    "floating": Parameter("strings", "beginnings of tags that move; an absent tag is one of them", default=[]),
    "digest": Parameter("boolean", "every image names a digest", default=False),
}
KINDS = frozenset({"dockerfile", "yaml", "json", "jenkins", "shell", "make"})
"""Kinds of evidence that are read."""

GUARDS = ("variable", "digest", "local")
"""What the detector is silent under; examples of its rules must show each."""


def judge(rules: list[Rule], document: Recipe, _tables: dict[str, Any], _windows: Windows) -> Iterator[Hit]:
    """The hits on the images of one file; those of a stage that only builds count as a warning at most."""
    local = guarded(rules[0], "local")
    started = [image for _, image in containers(document) if image is not None and ("/" in image.name or not local)]
    for image in (*document.images, *started):
        for rule in rules:
            why = _why(rule, image)
            if why:
                slots = {"image": image.name[:120], "why": why}
                hit = Hit(rule.id, image.line, image.column, image.line, max(image.end_column, image.column + 1), slots=slots)
                if document.form == "cluster":
                    hit = hit._replace(confidence="medium")  # kustomize and its like give names and tags of their own
                yield hit if image.final else hit._replace(level="warning")


def _why(rule: Rule, image: Image) -> str:
    said = rule.parameters
    name, tag, digest = parts(image.name)
    if guarded(rule, "variable") and not image.known:
        return ""
    if said.get("allowed"):
        full = image.name
        fits = any(fnmatch.fnmatchcase(one, pattern) for pattern in said["allowed"] for one in (full, name))
        return "" if fits else "is not on the list of allowed images"
    if guarded(rule, "digest") and digest:
        return ""
    if said.get("digest"):
        return "names no digest"
    if said.get("floating") and not tag:
        return "has no tag"
    if any(re.match(rf"{re.escape(start)}(?:$|[^A-Za-z0-9])", tag) for start in said.get("floating", ())):
        return f"has the tag {tag}"
    return ""


def parts(image: str) -> tuple[str, str, str]:
    """Name, tag and digest of an image; the port of a registry is no tag."""
    rest, _, digest = image.removeprefix("docker://").partition("@")
    folder, slash, last = rest.rpartition("/")
    name, _, tag = last.partition(":")
    return f"{folder}{slash}{name}", tag, digest
