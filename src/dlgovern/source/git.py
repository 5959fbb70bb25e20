"""Ask git which files of a folder it tracks or would track, without obeying the folder's own git configuration."""

from __future__ import annotations

import os

# Whatever of these a caller's git has set speaks of that repository, not of the folder asked about.
_FOREIGN = frozenset(
    """
    GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_COMMON_DIR GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES
    GIT_PREFIX GIT_NAMESPACE GIT_IMPLICIT_WORK_TREE GIT_GRAFT_FILE GIT_SHALLOW_FILE GIT_TRACE GIT_TRACE2
    GIT_TRACE2_EVENT GIT_TRACE2_PERF GIT_TRACE_SETUP GIT_TRACE_PERFORMANCE GIT_LITERAL_PATHSPECS GIT_GLOB_PATHSPECS
    GIT_NOGLOB_PATHSPECS GIT_ICASE_PATHSPECS GIT_EXEC_PATH
    """.split()
)

SAFE = (
    *("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never"),
    *("-c", "safe.bareRepository=explicit", "-c", "core.pager=cat", "--no-pager"),
    *("--no-optional-locks", "--literal-pathspecs"),
)
"""Flags for every call of git: nothing that a repository's configuration names is started."""

_SECONDS = 60


def listed(root: str, folders: list[str]) -> list[str] | str:
    """Paths below ``folders`` that git tracks or does not ignore, relative to ``root``; else why git cannot say.

    A path that ends in ``/`` is a repository of its own. ``root`` is absolute and real, ``folders`` are relative.
    """
    if not _in_work_tree(root):
        return ""
    program = find(root)
    if not program:
        return "git is not installed"
    import subprocess  # a tenth of a run that needs no git

    command = [program, *SAFE, "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--"]
    try:
        done = subprocess.run(
            [*command, *(folder or "." for folder in folders)],
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        return f"git did not answer ({type(error).__name__})"
    if done.returncode:
        words = os.fsdecode(done.stderr).strip().splitlines() or ["no reason given"]
        return f"git refused: {words[0]}"
    return [path for path in os.fsdecode(done.stdout).split("\0") if path]


def commit(root: str) -> str:
    """The commit that is checked out below ``root``, "" where there is none."""
    program = find(root) if _in_work_tree(root) else ""
    if not program:
        return ""
    import subprocess  # as in `listed`

    command = [program, *SAFE, "-C", root, "rev-parse", "--verify", "-q", "HEAD"]
    try:
        done = subprocess.run(
            command, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return ""
    return os.fsdecode(done.stdout).strip() if done.returncode == 0 else ""


def environment() -> dict[str, str]:
    """The environment for a call of git: no prompt, no other repository."""
    kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    return kept | {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}


def find(root: str) -> str:
    """The git program as an absolute path outside ``root``, "" where there is none."""
    name = "git.exe" if os.name == "nt" else "git"
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        program = os.path.join(folder, name)
        if os.path.isabs(folder) and os.access(program, os.X_OK) and os.path.isfile(program):
            real = os.path.realpath(program)
            if not real.startswith(os.path.join(root, "")):
                return program
    return ""


def _in_work_tree(folder: str) -> bool:
    """Whether a ``.git`` lies here or above; spares the start of git elsewhere."""
    while True:
        if os.path.lexists(os.path.join(folder, ".git")):
            return True
        above = os.path.dirname(folder)
        if above == folder:
            return False
        folder = above
