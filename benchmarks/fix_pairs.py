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
    """Judge the parent and the commit of every pair; print what was found and the sums."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs")
    parser.add_argument("mirrors")
    parser.add_argument("--only", default="", help="only the pairs whose line contains this")
    said = parser.parse_args()
    with open(said.pairs, encoding="utf-8") as file:
        pairs = [line.rstrip("\n") for line in file if line.strip() and not line.startswith("#")]
    rows = [line.split("\t") for line in pairs if said.only in line]
    seen: list[tuple[str, bool]] = []
    absent = 0
    with tempfile.TemporaryDirectory() as base:
        for repository, commit, path, rules, defect, *_ in rows:
            git = os.path.join(said.mirrors, repository.replace("/", "+"))
            git = os.path.join(git, "repo") if os.path.isdir(os.path.join(git, "repo")) else git
            if not os.path.isdir(git):
                absent += 1
                continue
            before, after = (found(tree(git, name, base), path, rules.split("|")) for name in (f"{commit}^", commit))
            seen.append((f"{repository}@{commit}", is_seen(before, after)))
            place = f"{repository}@{commit} {path}"
            print(f"{'ok' if seen[-1][1] else 'NO':3}{rules} {place}: {defect}: before {lines(before)}, after {lines(after)}", flush=True)
    whole = [all(good for name, good in seen if name == commit) for commit in dict(seen)]
    print(f"{sum(good for _, good in seen)} of {len(seen)} fixes are seen, {sum(whole)} of {len(whole)} commits in every file; {absent} have no mirror here")


Found = list[tuple[int, str, str]]
"""Findings: line, symbol, the text of the line."""


def is_seen(before: Found, after: Found) -> bool:
    """Whether a fix takes a finding away and brings none; one that stays beside it is another defect."""
    one, two = ({(symbol, text) for _, symbol, text in findings} for findings in (before, after))
    return bool(one - two) and not two - one


def lines(findings: Found) -> list[int]:
    """The lines of findings."""
    return [line for line, _, _ in findings]


def tree(git: str, commit: str, base: str) -> str:
    """The Python files of a commit, unpacked once."""
    name = subprocess.run(["git", "-C", git, "rev-parse", commit], capture_output=True, check=True, text=True).stdout.strip()
    folder = os.path.join(base, name)
    if not os.path.isdir(folder):
        data = subprocess.run(["git", "-C", git, "archive", name, "--", "*.py"], capture_output=True, check=True).stdout
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            archive.extractall(folder, filter="data")
        os.makedirs(os.path.join(folder, ".git"), exist_ok=True)  # the root, so that a path stays one and imports are followed
    return folder


def found(folder: str, path: str, rules: list[str]) -> Found:
    """The findings of some rules in one file of a tree; the file's imports are followed into the tree."""
    if not os.path.isfile(os.path.join(folder, path)):
        return []
    command = [
        sys.executable, "-P", "-m", "dlgovern", "check", path, "--isolated", "--profile", "all", "--no-cache", "--exit-zero",
        "--min-confidence", "low", "--select", ",".join(rules), "--output-format", "json",
    ]
    report = json.loads(subprocess.run(command, capture_output=True, check=False, cwd=folder).stdout)
    with open(os.path.join(folder, path), encoding="utf-8", errors="replace") as file:
        text = file.read().splitlines()
    return sorted((one["line"], one["symbol"], text[one["line"] - 1].strip()) for one in report["findings"] if one["path"] == path)


if __name__ == "__main__":
    main()
