"""Hold DLG104 against deptry's DEP001 and DEP003: which imports each calls undeclared, file by file.

``undeclared.py DEPTRY FOLDER...`` runs both on each folder; DEPTRY is the program. A row for each place on which the two
do not agree: repository, file, module, who calls it undeclared, and why the other one does not. Our reasons are found by
looking the declaration up, or by asking again without guards of the detector; a place that neither explains ends the
run with 1. deptry asks the environment it runs in for the modules of a distribution, and is told what the technology
selection knows about them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from dlgovern.cli import check, options
from dlgovern.detect import undeclared
from dlgovern.detect.listing import Listing, listing_of
from dlgovern.evidence.values import normal
from dlgovern.policy import Rule
from dlgovern.repository.documents import Documents
from dlgovern.repository.supply import Said, supply
from dlgovern.repository.view import View
from dlgovern.source.classify import setting
from dlgovern.store import Store

Place = tuple[str, str]  # path, first part of the module

GUARDS = {
    "own-module": "a module of the repository itself",
    "standard-library": "a module of Python",
    "fallback": "an import with a fallback, or behind a question for it",
    "on-demand": "imported in a function or under a condition only",
    "another-name": "a distribution of a similar name is declared",
    "image": "in an image that the repository uses",
    "computed": "the requirements are computed: nothing can be said",
    "no-manifest": "no manifest speaks for this folder",
}


class Ours:
    """One repository as DLG104 sees it."""

    def __init__(self, folder: str) -> None:
        said = check.parser().parse_args([folder, "--isolated", "--select", "DLG104", "--no-cache"])
        store = Store("")
        law = options.open_law(said, said.paths, store, silent=True)
        files = check.take_files(said, law)[1].files
        windows = check.versions(law, files, store)
        documents = Documents(law.settings.root, store)
        self._rule: Rule = next(rule for rule in law.policy.rules if rule.id == "DLG104")
        self._view = lambda: View(law.settings.root, files, windows, law.policy.tables, documents)
        self._known: dict[tuple[str, ...], set[Place]] = {}
        self.view = self._view()
        self.listing: Listing = listing_of(self.view.tables)

    def found(self, *guards: str) -> set[Place]:
        """The places, with these guards away."""
        if guards not in self._known:
            rule = self._rule._replace(parameters={**self._rule.parameters, "without_guards": guards})
            hits = undeclared.judge_repository([rule], self._view())
            self._known[guards] = {(path, hit.slots["module"]) for path, hit in hits}
        return self._known[guards]

    def why_not(self, place: Place) -> str:
        """Why a place is not found, "" where nothing explains it."""
        return self._declared(*place) or self._guarded(place)

    def _guarded(self, place: Place) -> str:
        """The guards that have to be away for the place to be found: of all, without those that make no difference."""
        away = tuple(GUARDS)
        if place not in self.found(*away):
            return ""
        for guard in GUARDS:
            fewer = tuple(one for one in away if one != guard)
            if place in self.found(*fewer):
                away = fewer
        return "; ".join(map(GUARDS.__getitem__, away))

    def _declared(self, path: str, module: str) -> str:
        """Where a distribution of the module is declared for the file."""
        if any(manifest.name == normal(module) for manifest in supply(self.view).manifests):
            return "the project itself"
        imports = self.view.imports(path)
        names = {normal(name) for line in (imports.lines if imports else ()) for name in self._names(line, module)}
        for one in supply(self.view).said:
            if one.name in names and (one.how in ("install", "lock") or not one.folder or path.startswith(f"{one.folder}/")):
                return f"{words(one)} in {one.path}:{one.line}"
        return ""

    def _names(self, line: object, module: str) -> tuple[str, ...]:
        dotted = f"{line.module}.{line.name}" if line.module else line.name  # type: ignore[attr-defined]
        return self.listing.distributions(dotted) if dotted.partition(".")[0] == module else ()


def words(one: Said) -> str:
    """How a distribution is declared."""
    if one.how != "manifest":
        return {"install": "a command installs it", "lock": "locked", "constraint": "constrained"}[one.how]
    return f"declared, {one.role}," if one.role and one.role != one.path else "declared"


def main() -> int:
    """Compare on every folder; print rows, counts by reason, and the sums."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("deptry")
    parser.add_argument("folders", nargs="+")
    said = parser.parse_args()
    sums: Counter[str] = Counter()
    reasons: Counter[tuple[str, str]] = Counter()
    for folder in said.folders:
        name = os.path.basename(folder.rstrip("/"))
        ours = Ours(folder)
        theirs, trouble = deptry(os.path.abspath(said.deptry), folder, ours.listing)
        if trouble:
            print(f"{name}: deptry does not start, dlgovern names {len(ours.found())}: {trouble}")
            continue
        sums.update({"both": len(ours.found() & theirs), "repositories": 1})
        for who, path, module, why in rows(ours, theirs):
            print(name, path, module, who, why or "UNEXPLAINED", sep="\t")
            sums[who] += 1
            reasons[who, why.partition(" in ")[0].partition(":")[0] if why else "UNEXPLAINED"] += 1
    for (who, why), count in sorted(reasons.items(), key=lambda item: (item[0][0], -item[1])):
        print(f"{count:5} {who}: {why}")
    print(dict(sums))
    return int(any(why == "UNEXPLAINED" for _, why in reasons))


def rows(ours: Ours, theirs: set[Place]) -> Iterator[tuple[str, str, str, str]]:
    """Who, path, module and reason of each disagreement."""
    for path, module in sorted(ours.found() - theirs):
        yield "dlgovern alone", path, module, "deptry knows no other module of the distribution that it calls by this name"
    for place in sorted(theirs - ours.found()):
        yield "deptry alone", *place, ours.why_not(place)


def deptry(program: str, folder: str, listing: Listing) -> tuple[set[Place], str]:
    """The places in code that dlgovern judges too (no tests, examples or documentation), or why there are none."""
    made: dict[str, list[str]] = {}
    for entry in listing.entries:
        for name in entry.distributions:
            made.setdefault(name, []).extend(sorted({module.partition(".")[0] for module in entry.imports}))
    for module in listing._modules:  # noqa: SLF001 - the whole table
        for name in listing.distributions(module):
            made.setdefault(name, []).append(module.partition(".")[0])
    names = ",".join(f"{name}={'|'.join(sorted(set(modules)))}" for name, modules in sorted(made.items()) if modules)
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary) / "out.json"
        command = [program, ".", "--json-output", str(out), "--ignore", "DEP002,DEP004,DEP005", "--package-module-name-map", names]
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if not out.exists():
            return set(), (ran.stderr.strip().splitlines() or ["it says nothing"])[-1]
        found = json.loads(out.read_text())
    places = {(os.path.normpath(one["location"]["file"]), one["module"]) for one in found}
    return {(path, module) for path, module in places if setting(path) in ("training", "library") and not path.endswith(".ipynb")}, ""


if __name__ == "__main__":
    sys.exit(main())
