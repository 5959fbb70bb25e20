"""Hold DLG104 against deptry's DEP001 and DEP003: which imports each calls undeclared, file by file.

``undeclared.py DEPTRY FOLDER...`` runs both on each folder; DEPTRY is the program. What the two do not share is listed.
deptry asks the environment it runs in for the modules of a distribution, dlgovern the technology selection.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from dlgovern.source.classify import setting


def main() -> None:
    """Compare on every folder and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("deptry")
    parser.add_argument("folders", nargs="+")
    said = parser.parse_args()
    both = only_ours = only_theirs = 0
    for folder in said.folders:
        ours, theirs = dlgovern(folder), deptry(said.deptry, folder)
        both += len(ours & theirs)
        only_ours += len(ours - theirs)
        only_theirs += len(theirs - ours)
        print(f"{os.path.basename(folder.rstrip('/'))}: both {len(ours & theirs)}, dlgovern alone {len(ours - theirs)}, deptry alone {len(theirs - ours)}")
        for mark, rest in (("dlgovern", ours - theirs), ("deptry", theirs - ours)):
            by_module: dict[str, list[str]] = {}
            for path, module in sorted(rest):
                by_module.setdefault(module, []).append(path)
            for module, paths in sorted(by_module.items()):
                print(f"  {mark} alone: {module} in {len(paths)}: {', '.join(paths[:3])}")
    print(f"together: both {both}, dlgovern alone {only_ours}, deptry alone {only_theirs}")


def dlgovern(folder: str) -> set[tuple[str, str]]:
    """(path, first part of the module) of each finding."""
    command = [
        sys.executable, "-P", "-m", "dlgovern", "check", folder, "--isolated", "--select", "DLG104", "--no-cache", "--exit-zero",
        "--output-format", "json",
    ]  # fmt: skip
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    return {(one["path"], one["message"].partition(" ")[0].partition(".")[0]) for one in json.loads(ran.stdout)["findings"]}


def deptry(program: str, folder: str) -> set[tuple[str, str]]:
    """(path, module) of each finding in code that dlgovern judges too: no tests, examples or documentation."""
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary) / "out.json"
        command = [program, ".", "--json-output", str(out), "--ignore", "DEP002,DEP004,DEP005"]
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if not out.exists():
            print(f"  deptry did not run: {ran.stderr.strip().splitlines()[-1:]}")
            return set()
        found = json.loads(out.read_text())
    places = {(os.path.normpath(one["location"]["file"]), one["module"]) for one in found}
    return {(path, module) for path, module in places if setting(path) in ("training", "library") and not path.endswith(".ipynb")}


if __name__ == "__main__":
    main()
