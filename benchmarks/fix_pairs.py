"""Hold rules against real fixes: the finding is there before the commit and gone after it.

``fix_pairs.py PAIRS.tsv MIRRORS`` expects a Git directory of each repository at ``MIRRORS/OWNER+NAME`` or in ``repo`` below it.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile


def main() -> None:
    """Judge the parent and the commit of every pair; print what was found and the sum."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs")
    parser.add_argument("mirrors")
    said = parser.parse_args()
    with open(said.pairs, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if line.strip() and not line.startswith("#")]
    good = 0
    with tempfile.TemporaryDirectory() as base:
        for repository, commit, path, rule in rows:
            git = os.path.join(said.mirrors, repository.replace("/", "+"))
            git = os.path.join(git, "repo") if os.path.isdir(os.path.join(git, "repo")) else git
            before, after = (found(tree(git, name, base), path, rule) for name in (f"{commit}^", commit))
            good += bool(before) and not after
            print(f"{'ok' if before and not after else 'NO':3}{rule} {repository}@{commit} {path}: before {before}, after {after}", flush=True)
    print(f"{good} of {len(rows)} fixes are seen")


def tree(git: str, commit: str, base: str) -> str:
    """The Python files of a commit, unpacked once."""
    name = subprocess.run(["git", "-C", git, "rev-parse", commit], capture_output=True, check=True, text=True).stdout.strip()
    folder = os.path.join(base, name)
    if not os.path.isdir(folder):
        data = subprocess.run(["git", "-C", git, "archive", name, "--", "*.py"], capture_output=True, check=True).stdout
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            archive.extractall(folder, filter="data")
    return folder


def found(folder: str, path: str, rule: str) -> list[int]:
    """The lines of the findings of a rule in one file of a tree."""
    if not os.path.isfile(os.path.join(folder, path)):
        return []
    command = [
        sys.executable, "-P", "-m", "dlgovern", "check", ".", "--isolated", "--profile", "all", "--no-cache", "--exit-zero",
        "--min-confidence", "low", "--select", rule, "--output-format", "json",
    ]
    report = json.loads(subprocess.run(command, capture_output=True, check=False, cwd=folder).stdout)
    return [one["line"] for one in report["findings"] if one["rule"] == rule and one["path"] == path]


if __name__ == "__main__":
    main()
