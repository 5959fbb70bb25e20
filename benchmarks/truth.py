"""Hold findings against hand-checked places: recall and false alarms, concept by concept.

``truth.py TRUTH.tsv CORPORA`` expects each repository and commit of the table unpacked in
``CORPORA/OWNER+NAME@COMMIT`` (the first twelve digits); the folder may be a link.
"""

from __future__ import annotations

import argparse
import collections
import csv
import json
import os
import subprocess
import sys
from pathlib import Path

TOLERANCE = 2  # lines between a place and a finding that still counts


def main() -> None:
    """Judge every repository of the table and print counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("truth")
    parser.add_argument("corpora")
    parser.add_argument("--misses", action="store_true", help="list what was missed or wrongly flagged")
    said = parser.parse_args()
    with open(said.truth, encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    concepts = concept_rules()
    found: dict[tuple[str, str], dict[tuple[str, str], set[int]]] = {}
    for key in sorted({(row["repo"], row["commit"]) for row in rows}):
        folder = os.path.join(said.corpora, f"{key[0].replace('/', '+')}@{key[1][:12]}")
        if os.path.isdir(folder):
            found[key] = findings(os.path.realpath(folder))
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for row in rows:
        key = (row["repo"], row["commit"])
        if key not in found or row["certainty"] != "clear" or not concepts.get(row["concept"]):
            continue
        lines = {n for rule in concepts[row["concept"]] for n in found[key].get((row["path"], rule), set())}
        outcome = verdict(row, lines)
        counts[row["concept"]][outcome] += 1
        if said.misses and outcome in ("missed", "false alarm"):
            print(f"{outcome}: {row['repo']} {row['path']}:{row['line']} {row['concept']} ({row['reason']})")
    show(counts)


def concept_rules() -> dict[str, list[str]]:
    """Concept -> the rules whose finding counts for it."""
    path = Path(__file__).with_name("concepts.tsv")
    lines = [line.split("\t") for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return {line[0]: line[1].split("|") if len(line) > 1 and line[1] else [] for line in lines}


def findings(folder: str) -> dict[tuple[str, str], set[int]]:
    """(path, rule) -> lines, of every level and confidence, with all rules."""
    command = [
        sys.executable, "-P", "-m", "dlgovern", "check", folder, "--isolated", "--profile", "all", "--no-cache",
        "--exit-zero", "--output-format", "json",
    ]
    done = subprocess.run(command, capture_output=True, check=False)
    report = json.loads(done.stdout)
    result: dict[tuple[str, str], set[int]] = collections.defaultdict(set)
    for one in report["findings"]:
        result[one["path"], one["rule"]].add(one["line"])
    return result


def verdict(row: dict[str, str], lines: set[int]) -> str:
    """What a row says of the findings of its concept in its file."""
    wanted = [int(row["line"]), *(int(n) for n in row["alt_lines"].split(",") if n)]
    if row["verdict"] == "true-positive":
        near = any(abs(line - one) <= TOLERANCE for line in lines for one in wanted)
        return "found" if near else "missed"
    return "false alarm" if int(row["line"]) in lines else "quiet"


def show(counts: dict[str, collections.Counter[str]]) -> None:
    """One line a concept, then the sum."""
    total: collections.Counter[str] = collections.Counter()
    print(f"{'concept':34s} found missed | quiet false alarm")
    for concept, one in sorted(counts.items()):
        total.update(one)
        print(f"{concept:34s} {one['found']:5d} {one['missed']:6d} | {one['quiet']:5d} {one['false alarm']:11d}")
    print(f"{'all':34s} {total['found']:5d} {total['missed']:6d} | {total['quiet']:5d} {total['false alarm']:11d}")


if __name__ == "__main__":
    main()
