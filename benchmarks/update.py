"""One project, two versions of its template, many edits of its user: what `dlgovern update`, plain git and copier make of it.

    python benchmarks/update.py [--copier PATH]

The template is that of tests/scaffold/standard. Git: a branch of template versions, merged. Copier: the same files as a
template in git with one tag a version. For every edit the script looks at the files afterwards: is the edit still
there, did the template's change come, does pyproject.toml parse, which version does the project claim to have.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import tomli

STANDARD = Path(__file__).resolve().parent.parent / "tests" / "scaffold" / "standard"
OLD, NEW = "2026.1", "2026.2"


class Case(NamedTuple):
    """An edit, and what to look for: ``keep`` in the file, and whether both sides can have their way."""

    path: str
    old: str
    new: str  # "" for deleting the file
    keep: str
    agree: bool  # nothing in it contradicts the template's change


CASES = {
    "dependency beside a bumped one": Case("pyproject.toml", '"numpy>=1.26",\n', '"numpy>=1.26",\n    "einops>=0.8",\n', "einops>=0.8", True),
    "comment behind a bumped one": Case("pyproject.toml", '"torch>=2.12,<2.14",', '"torch>=2.12,<2.14",  # radar', "# radar", True),
    "dependencies on one line": Case("pyproject.toml", '[\n    "numpy>=1.26",\n    "torch>=2.12,<2.14",\n]', '["numpy>=1.26", "torch>=2.12,<2.14"]', 'dependencies = ["', True),
    "own table beside a new one": Case("pyproject.toml", "[tool.dlgovern]", "[tool.mine]\nx = 1\n\n[tool.dlgovern]", "[tool.mine]", True),
    "own extra where the template adds extras": Case("pyproject.toml", "]\n\n[tool.dlgovern]", ']\n\n[project.optional-dependencies]\ndev = ["ruff"]\n\n[tool.dlgovern]', 'dev = ["ruff"]', True),
    "own mypy override": Case("pyproject.toml", "ignore_missing_imports = true\n", 'ignore_missing_imports = true\n\n[[tool.mypy.overrides]]\nmodule = "ours.*"\nstrict = true\n', "ours.*", True),
    "another description": Case("pyproject.toml", '"A model"', '"Ours"', '"Ours"', True),
    "paragraph in the README": Case("README.md", "A model\n", "It finds ships.\n\nA model\n", "It finds ships.", True),
    "function in train.py": Case("src/one/train.py", "TITLE = ", "def seed() -> int:\n    return 3\n\n\nTITLE = ", "def seed()", True),
    "line in .gitignore": Case(".gitignore", "*.pt\n", "*.pt\nruns/\n", "runs/", True),
    "README deleted": Case("README.md", "", "", "", True),
    "script deleted": Case("launch/torchrun.sh", "", "", "", True),
    "edited file that the template removes": Case("NOTES.md", "old notes", "our notes", "our notes", True),
    "same line of train.py": Case("src/one/train.py", "range(10)", "range(50)", "range(50)", False),
    "same line of a generated script": Case("launch/torchrun.sh", "--standalone", "--standalone --max-restarts=3", "--max-restarts=3", False),
    "same package": Case("pyproject.toml", '"torch>=2.12,<2.14"', '"torch==2.12.1"', "torch==2.12.1", False),
    "same key": Case("pyproject.toml", '">=3.11"', '">=3.11,<3.14"', '">=3.11,<3.14"', False),
}  # fmt: skip


def call(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A program, as somebody, with no configuration of this machine."""
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "DLGOVERN_NO_CACHE": "1"}
    for role in ("AUTHOR", "COMMITTER"):
        env |= {f"GIT_{role}_NAME": "somebody", f"GIT_{role}_EMAIL": "somebody@example.com"}
    return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)


def commit(folder: Path, what: str) -> None:
    """Everything in a folder, in one commit."""
    call(folder, "git", "add", "-A")
    call(folder, "git", "commit", "-q", "-m", what)


def render(folder: Path, version: str) -> None:
    """The project of a version of the template, made in ``folder``/one."""
    words = ("new", "one", "--yes", "--standard", str(STANDARD), "--template", f"tiny/{version}")
    done = call(folder, sys.executable, "-P", "-m", "dlgovern", *words)
    assert done.returncode == 0, done.stderr


def edit(folder: Path, case: Case) -> None:
    """What the user does."""
    path = folder / case.path
    if not case.new:
        path.unlink()
        return
    text = path.read_text()
    assert case.old in text, case
    path.write_text(text.replace(case.old, case.new, 1))


def by_dlgovern(folder: Path, case: Case, _copier: str) -> tuple[Path, str]:
    """`dlgovern update`."""
    render(folder, OLD)
    project = folder / "one"
    call(project, "git", "init", "-q")
    commit(project, "old")
    edit(project, case)
    commit(project, "edit")
    call(project, sys.executable, "-P", "-m", "dlgovern", "update", "--yes", "--to", NEW)
    return project, tomli.loads((project / "dlgovern.lock").read_text())["template"]["version"]


def by_git(folder: Path, case: Case, _copier: str) -> tuple[Path, str]:
    """A branch that holds the template's versions, merged."""
    render(folder, OLD)
    project = folder / "one"
    (project / "dlgovern.lock").unlink()
    call(project, "git", "init", "-q", "-b", "main")
    commit(project, "old")
    call(project, "git", "switch", "-q", "-c", "template")
    (folder / "new").mkdir()
    render(folder / "new", NEW)
    for path in sorted(project.rglob("*")):
        if path.is_file() and ".git" not in path.relative_to(project).parts:
            path.unlink()
    shutil.copytree(folder / "new" / "one", project, dirs_exist_ok=True)
    (project / "dlgovern.lock").unlink()
    commit(project, "new")
    call(project, "git", "switch", "-q", "main")
    edit(project, case)
    commit(project, "edit")
    call(project, "git", "merge", "-q", "--no-edit", "template")
    return project, "no claim"


def by_copier(folder: Path, case: Case, copier: str) -> tuple[Path, str]:
    """`copier update` with a template of the same files and one tag a version."""
    source = folder / "template"
    source.mkdir()
    call(source, "git", "init", "-q")
    for version in (OLD, NEW):
        for path in source.iterdir():
            if path.name != ".git":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        (folder / version).mkdir()
        render(folder / version, version)
        shutil.copytree(folder / version / "one", source, dirs_exist_ok=True)
        (source / "dlgovern.lock").unlink()
        (source / "copier.yml").write_text("_skip_if_exists: [src/one/model.py]\n")
        (source / "{{_copier_conf.answers_file}}.jinja").write_text("{{ _copier_answers|to_nice_yaml }}\n")
        commit(source, version)
        call(source, "git", "tag", f"v{version}")
    project = folder / "one"
    done = call(folder, copier, "copy", "-q", "--defaults", "--vcs-ref", f"v{OLD}", str(source), str(project))
    assert done.returncode == 0, done.stderr
    call(project, "git", "init", "-q")
    commit(project, "old")
    edit(project, case)
    commit(project, "edit")
    call(project, copier, "update", "-q", "--defaults", "--vcs-ref", f"v{NEW}")
    claim = next((line.split(": v")[1].strip() for line in (project / ".copier-answers.yml").read_text().splitlines() if line.startswith("_commit")), "?")
    return project, claim


def judge(project: Path, case: Case, claim: str) -> str:
    """In words, what stands in the project now."""
    path = project / case.path
    text = path.read_text() if path.is_file() else ""
    open_ = "<<<<<<<" in text or "dlgovern: conflict" in text or path.with_name(path.name + ".rej").exists()
    unmerged = "UD " in (status := call(project, "git", "status", "--porcelain").stdout) or "DU " in status
    found = []
    if case.path == "pyproject.toml":
        try:
            tomli.loads(text)
        except tomli.TOMLDecodeError:
            found.append("pyproject.toml is broken")
    if not case.new:
        found += ["the deleted file is back"] if path.is_file() else []
    elif case.keep not in text:
        found.append("the edit is lost")
    if unmerged:
        found.append("conflict of deletion")
    if open_:
        found.append("conflict" if not case.agree else "needless conflict")
    elif not case.agree and case.keep in text:
        found.append("the template's change is lost in silence")
    if open_ and claim == NEW:
        found.append("claims to be up to date")
    if case.path != "NOTES.md" and case.new and not open_ and case.agree and _untouched(project):
        found.append("the template's change did not come")
    good = found == ([] if case.agree else ["conflict"])
    return "good" if good else "; ".join(found)


def _untouched(project: Path) -> bool:
    return "numpy>=2.0" not in (project / "pyproject.toml").read_text() or "range(20)" not in (project / "src/one/train.py").read_text()


TOOLS: dict[str, Callable[[Path, Case, str], tuple[Path, str]]] = {"dlgovern": by_dlgovern, "git": by_git, "copier": by_copier}


def main() -> None:
    """Run every tool on every case and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--copier", default=shutil.which("copier") or "", help="the copier program; without one it is left out")
    options = parser.parse_args()
    tools = [name for name in TOOLS if name != "copier" or options.copier]
    good = dict.fromkeys(tools, 0)
    print("| edit | " + " | ".join(tools) + " |\n|---|" + "---|" * len(tools))
    for name, case in CASES.items():
        words = []
        for tool in tools:
            with tempfile.TemporaryDirectory() as folder:
                project, claim = TOOLS[tool](Path(folder), case, options.copier)
                words.append(judge(project, case, claim))
            good[tool] += words[-1] == "good"
        print(f"| {name} | " + " | ".join(words) + " |", flush=True)
    print("| **good** | " + " | ".join(f"{good[tool]} of {len(CASES)}" for tool in tools) + " |")


if __name__ == "__main__":
    main()
