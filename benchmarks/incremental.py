"""Edit a copy of a repository at random, and compare what a run with the cache says after each edit with a run without it."""

from __future__ import annotations

import argparse
import ast
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

OURS = [sys.executable, "-P", "-c", "import sys; from dlgovern.cli.main import main; sys.exit(main())", "check"]


def main() -> None:
    """One line an edit where the two disagree, and the sum."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--edits", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    said = parser.parse_args()
    chance = random.Random(said.seed)
    differ = 0
    spent = [0.0, 0.0]
    with tempfile.TemporaryDirectory() as place:
        copy, cache = Path(place, "tree"), Path(place, "cache")
        shutil.copytree(said.folder, copy, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        subprocess.run(["git", "init", "-q", str(copy)], check=True)
        files = sorted(path for path in copy.rglob("*.py") if path.stat().st_size < 200_000)  # noqa: PLR2004 - no generated ones
        findings(copy, ["--cache-dir", str(cache)])
        for number in range(said.edits):
            what = edit(chance, files)
            kept, spent[0] = timed(lambda: findings(copy, ["--cache-dir", str(cache)]), spent[0])
            fresh, spent[1] = timed(lambda: findings(copy, ["--no-cache"]), spent[1])
            if kept != fresh:
                differ += 1
                print(f"edit {number}, {what}: only with the cache {sorted(kept - fresh)[:5]}, only without {sorted(fresh - kept)[:5]}")
    print(f"{said.edits} edits: {differ} with other findings; {spent[0]:.0f} s with the cache, {spent[1]:.0f} s without")


def timed(run: Callable[[], set[str]], before: float) -> tuple[set[str], float]:
    """What a run found, and the seconds of all such runs."""
    start = time.perf_counter()
    found = run()
    return found, before + time.perf_counter() - start


def findings(folder: Path, words: list[str]) -> set[str]:
    """Every finding of a folder, all that is said of it."""
    done = subprocess.run([*OURS, ".", "--exit-zero", "--output-format", "json", *words], cwd=folder, capture_output=True, text=True, check=False)
    return {json.dumps(one, sort_keys=True) for one in json.loads(done.stdout)["findings"]}


def edit(chance: random.Random, files: list[Path]) -> str:
    """Change one file so that it still parses; what was done, in words."""
    while True:
        path = chance.choice(files)
        try:
            text = path.read_text(encoding="utf-8")
            tree = ast.parse(text)
        except (SyntaxError, ValueError):
            continue
        kind = chance.choice((removed, doubled, renamed, returned, appended))
        changed = kind(chance, text, tree)
        try:
            ast.parse(changed)
        except (SyntaxError, ValueError):
            continue
        if changed != text:
            path.write_text(changed, encoding="utf-8")
            return f"{kind.__name__} in {path.name}"


def _statement(chance: random.Random, tree: ast.Module) -> ast.stmt | None:
    found = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    return chance.choice(found) if found else None


def removed(chance: random.Random, text: str, tree: ast.Module) -> str:
    """Without one statement."""
    node = _statement(chance, tree)
    if node is None or node.end_lineno is None:
        return text
    lines = text.splitlines(keepends=True)
    return "".join([*lines[: node.lineno - 1], " " * node.col_offset + "pass\n", *lines[node.end_lineno :]])


def doubled(chance: random.Random, text: str, tree: ast.Module) -> str:
    """One statement twice."""
    node = _statement(chance, tree)
    if node is None or node.end_lineno is None:
        return text
    lines = text.splitlines(keepends=True)
    return "".join([*lines[: node.end_lineno], *lines[node.lineno - 1 : node.end_lineno], *lines[node.end_lineno :]])


def renamed(chance: random.Random, text: str, tree: ast.Module) -> str:
    """One function or class under another name."""
    found = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    if not found:
        return text
    name = chance.choice(found)
    return text.replace(f"def {name}(", f"def {name}_2(", 1).replace(f"class {name}", f"class {name}_2", 1)


def returned(chance: random.Random, text: str, tree: ast.Module) -> str:
    """One function that returns at once."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    if not found:
        return text
    first = chance.choice(found).body[0]
    lines = text.splitlines(keepends=True)
    return "".join([*lines[: first.lineno - 1], " " * first.col_offset + "return None\n", *lines[first.lineno - 1 :]])


def appended(chance: random.Random, text: str, _tree: ast.Module) -> str:
    """With a function more, or another meaning for a name."""
    return text + chance.choice(("\n\ndef main_2():\n    return 1\n", "\n\nrank = 0\n", "\nfrom os import path as dist\n"))


if __name__ == "__main__":
    main()
