"""Say into which manifest a requirement of a file belongs."""

from __future__ import annotations

import posixpath

from dlgovern.evidence.values import Manifest
from dlgovern.evidence.versions import home, is_aside_file
from dlgovern.repository.supply import supply
from dlgovern.repository.view import View

_NAMES = ("requirements.txt", "pyproject.toml")


def owner(path: str, view: View) -> str:
    """The one manifest that says what the nearest folder above ``path`` needs; "" where none or several do.

    Lists for those who test, document or build the project do not count, nor does a file that takes its list from
    another one. Only a requirements.txt or a pyproject.toml is named: what else declares is for a person. So is one
    with a lock file in its folder or above, which would be out of date, and that of a project that is built, for code
    which lies in no package of it.
    """
    found = supply(view)
    near: dict[str, list[Manifest]] = {}
    for manifest in found.manifests:
        folder = home(manifest.path)
        if _lies_in(folder, path):
            near.setdefault(folder, []).append(manifest)
    nearest = max(near, key=len, default="")
    said = [one for one in near.get(nearest, ()) if _says(one)]
    paths = {one.path for one in said}
    own = [one for one in said if not _forwards(one, paths)]
    locked = any(one.how == "lock" and _lies_in(one.folder, f"{nearest}/" if nearest else "") for one in found.said)
    if len(own) != 1 or posixpath.basename(own[0].path) not in _NAMES or locked:
        return ""
    built = own[0].kind == "pyproject" and own[0].published
    return "" if built and not _in_package(path, nearest, view) else own[0].path


def _lies_in(folder: str, path: str) -> bool:
    return not folder or path.startswith(f"{folder}/")


def _in_package(path: str, folder: str, view: View) -> bool:
    """Whether a file lies in a package of the project in ``folder``, or in one below its ``src``."""
    inside = path[len(folder) :].strip("/").removeprefix("src/")
    top = path.removesuffix(inside) + inside.partition("/")[0]
    return "/" in inside and f"{top}/__init__.py" in view.kinds.get("python", ())


def _says(manifest: Manifest) -> bool:
    """Whether it says what everybody needs, and be it that this is nothing yet or computed."""
    if manifest.kind == "constraints":
        return False
    if manifest.kind == "requirements":
        return not is_aside_file(manifest.path)
    named = manifest.kind == "pyproject" and bool(manifest.name)
    return named or manifest.partial or bool(manifest.includes) or _lists(manifest)


def _lists(manifest: Manifest) -> bool:
    return any(not one.group for one in manifest.requirements)


def _forwards(manifest: Manifest, paths: set[str]) -> bool:
    takes = any(one.kind == "requirements" and one.target in paths - {manifest.path} for one in manifest.includes)
    return takes and (manifest.kind == "requirements" or not _lists(manifest))
