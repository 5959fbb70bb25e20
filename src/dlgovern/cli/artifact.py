"""``dlgovern artifact``: say what model files are and what loading them would run, without loading them."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from typing import Any

from dlgovern.cli import exits, options
from dlgovern.errors import UsageError
from dlgovern.evidence.artifacts import manifest
from dlgovern.evidence.artifacts.allowed import Allowed, newest
from dlgovern.evidence.artifacts.document import is_model
from dlgovern.evidence.artifacts.endings import ending
from dlgovern.evidence.artifacts.manifest import FILE, beside, digest
from dlgovern.evidence.artifacts.read import Unreadable, read_file
from dlgovern.evidence.artifacts.values import Artifact
from dlgovern.policy import Policy
from dlgovern.report.artifacts import render_json, render_text
from dlgovern.source import git
from dlgovern.source.read import read


def parser() -> argparse.ArgumentParser:
    """The command line of ``artifact``."""
    made = argparse.ArgumentParser(
        prog="dlgovern artifact",
        description="Say what model files are and what loading them would run. Nothing is loaded, unpickled or extracted.",
        epilog="examples:\n  dlgovern artifact model.pt\n  dlgovern artifact manifest --write release/\n  dlgovern artifact --output-format json checkpoints/ -o report.json\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("paths", nargs="+", metavar="PATH", help="files, whatever they are called, and folders with model files")
    made.add_argument("--output-format", choices=("text", "json"), default="text", help="how to say it")
    made.add_argument("-o", "--output-file", metavar="PATH", help="write there instead of standard output")
    made.add_argument("--ml-bom", action="store_true", help="write a CycloneDX bill of materials instead; needs dlgovern[bom]")
    made.add_argument("-v", "--verbose", action="store_true", help="every reason and every tensor")
    made.add_argument("--exit-zero", action="store_true", help="leave with 0 although files are not clean")
    options.add_selection(made)
    return made


def run(words: list[str]) -> int:
    """Read, report; 1 when a file is not clean, 3 when one could not be read."""
    if words[:1] == ["manifest"]:
        return _manifest(words[1:])
    said = parser().parse_args(words)
    law = options.open_law(said, ["."], options.open_store(said))
    allowed = allow_list(law.policy)
    artifacts: list[Artifact] = []
    unreadable: list[tuple[str, str]] = []
    for path in _files(said.paths):
        try:
            artifacts.append(read_file(path, path, allowed))
        except Unreadable as error:
            unreadable.append((path, error.why))
    if not artifacts and not unreadable:
        raise UsageError("no model file was found", said.paths[0], "name a file to have it judged, whatever it is called")
    if said.ml_bom:
        text = _bill([one for one in artifacts if one.format])
    elif said.output_format == "json":
        text = render_json(artifacts, unreadable)
    else:
        text = render_text(artifacts, unreadable, verbose=said.verbose)
    _write(text, said.output_file)
    if unreadable:
        return exits.NOT_FINISHED
    if any(one.verdict in ("unsafe", "undecided") for one in artifacts):
        return exits.CLEAN if said.exit_zero else exits.FINDINGS
    return exits.CLEAN


def _bill(artifacts: list[Artifact]) -> str:
    try:
        from dlgovern.report import ml_bom  # cold: the library of CycloneDX comes with it
    except ImportError as error:
        raise UsageError(f"--ml-bom needs a library that is not installed ({error.name})", do="pip install 'dlgovern[bom]'") from None
    digests = [digest(one.path) for one in artifacts]
    return ml_bom.render(artifacts, digests, [beside(one.path, one.facts.get("external files", ())) for one in artifacts])


def _manifest(words: list[str]) -> int:
    """Write, show or compare the manifest of model files; 1 where the one on disk is another."""
    parser = argparse.ArgumentParser(
        prog="dlgovern artifact manifest",
        description=f"Write {FILE}: each model file with its format, digest, precision, opset and the commit that is checked out.",
        epilog="examples:\n  dlgovern artifact manifest release/\n  dlgovern artifact manifest --write release/ model.onnx\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="*", default=["."], metavar="PATH", help="files and folders; none means the current folder")
    parser.add_argument("--write", action="store_true", help=f"write {FILE} at the root of the project; else show what it would say")
    options.add_selection(parser)
    said = parser.parse_args(words)
    law = options.open_law(said, ["."], options.open_store(said))
    root = law.settings.root
    allowed = allow_list(law.policy)
    before = _known(os.path.join(root, FILE))
    now = git.commit(root)
    entries = []
    for path in sorted({os.path.relpath(os.path.realpath(path), root) for path in _files(said.paths)}):
        shown = path.replace(os.sep, "/")
        if shown.startswith("../"):
            raise UsageError("lies outside the project's root", shown, f"name something below {root}")
        try:
            found = read_file(os.path.join(root, path), shown, allowed)
            sha256 = digest(os.path.join(root, path))
            external = beside(os.path.join(root, path), found.facts.get("external files", ()))
        except Unreadable as error:
            raise UsageError(error.why, shown) from None
        kept = before.get(shown, {})
        same = kept.get("sha256") == sha256 and kept.get("external", {}) == external and "commit" in kept
        entries.append(manifest.entry(found, sha256, external, kept["commit"] if same else now))
    text = manifest.render(entries)
    if said.write:
        _write(text, os.path.join(root, FILE))
        return exits.CLEAN
    sys.stdout.write(text)
    return exits.CLEAN if {one["path"]: one for one in entries} == before else exits.FINDINGS


def _known(path: str) -> dict[str, dict[str, Any]]:
    """The entries of the manifest on disk by path; none where there is no manifest that can be read."""
    try:
        said = json.loads(read(path))
        return {str(one["path"]): one for one in said["artifacts"]}
    except (Unreadable, ValueError, RecursionError, TypeError, KeyError):
        return {}


def allow_list(policy: Policy) -> Allowed:
    """The names that a pickle may use, as the standard says."""
    extra = [name for rule in policy.rules if rule.detector == "artifact" for name in rule.parameters.get("allow", ())]
    return newest(policy.tables.get("weights-only", []), extra)


def _files(paths: list[str]) -> Iterator[str]:
    """Files as they are named; below folders those that are model files by ending or by content, links not followed."""
    for path in paths:
        if not os.path.isdir(path):
            if not os.path.lexists(path):
                raise UsageError(f"no such file or folder: {path}", do="check the spelling; paths count from here")
            yield path
            continue
        for base, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if name not in (".git", ".hg", ".svn"))
            yield from (path for path in (os.path.join(base, name) for name in sorted(names)) if ending(path) or is_model("", path))


def _write(text: str, where: str | None) -> None:
    if not where:
        sys.stdout.write(text)
        return
    try:
        with open(where, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", where) from None
