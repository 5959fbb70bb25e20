"""Say from a path, and at most the first bytes, what kind of evidence a file is."""

from __future__ import annotations

from functools import lru_cache

from dlgovern.source.patterns import lazy

KINDS = (
    *("python", "notebook", "pyproject", "requirements", "setup-cfg", "lock", "pipfile", "environment", "python-version"),
    *("shell", "prose", "yaml", "json", "dockerfile", "make", "just", "tox", "jenkins", "env", "artifact"),
)
"""Every kind that `classify` can answer."""

_BY_SUFFIX = {
    ".py": "python",
    ".pyi": "python",
    ".pyw": "python",
    ".ipynb": "notebook",
    **dict.fromkeys((".sh", ".bash", ".ksh", ".zsh", ".sbatch", ".slurm"), "shell"),
    **dict.fromkeys((".md", ".markdown", ".rst"), "prose"),
    **dict.fromkeys((".dockerfile", ".containerfile"), "dockerfile"),
    ".mk": "make",
    ".just": "just",
    ".jenkinsfile": "jenkins",
    ".env": "env",
    **dict.fromkeys(
        (
            *(".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle", ".p", ".dill", ".joblib", ".ptl", ".pt2", ".pte", ".safetensors"),
            *(".onnx", ".gguf", ".keras", ".h5", ".hdf5", ".npy", ".npz", ".tflite", ".engine", ".plan", ".trt", ".mar", ".nemo"),
        ),
        "artifact",
    ),
}

_BY_NAME = {
    "pyproject.toml": "pyproject",
    "setup.cfg": "setup-cfg",
    "uv.lock": "lock",
    "poetry.lock": "lock",
    "pdm.lock": "lock",
    "pipfile.lock": "lock",
    "tox.ini": "tox",
    ".env": "env",
    ".justfile": "just",
    "pipfile": "pipfile",
    ".python-version": "python-version",
    "dockerfile": "dockerfile",
    "containerfile": "dockerfile",
    "makefile": "make",
    "gnumakefile": "make",
    "justfile": "just",
    "jenkinsfile": "jenkins",
}

# Names whose beginning counts, whatever their suffix.
_BY_START = (
    (lazy(r"(?:^|/)(?:dockerfile|containerfile)\.[^/]+$"), "dockerfile"),
    (lazy(r"(?:^|/)jenkinsfile\.[^/]+$"), "jenkins"),
)

_BUILDS = ("dockerfile-", "dockerfile_", "containerfile-", "containerfile_")  # a name without suffix

_REQUIREMENTS = (
    (lazy(r"(?:^|/)(?:requirements|constraints)[^/]*$"), "requirements"),
    (lazy(r"requirements\.[a-z]+$"), "requirements"),
    (lazy(r"(?:^|/)(?:[^/]*[-_.])?(?:requirements?|reqs?|constraints?)(?:[-_.][^/]*)?$"), "requirements"),
    (lazy(r"(?:^|/)(?:requirements|requires|reqs|dependencies)/[^/]+$"), "requirements"),
)
_CONDA = (
    (lazy(r"(?:^|/)(?:[^/]*[-_.])?conda-lock\.ya?ml$"), "lock"),
    (lazy(r"(?:^|/)(?:[^/]*[-_.])?(?:environment|conda[-_]?env)(?:[-_.][^/]*)?\.ya?ml$"), "environment"),
)

# By suffix, tried in order on the lower-cased path; only here may a kind depend on a folder.
_BY_PATH = {
    ".txt": _REQUIREMENTS,
    ".in": _REQUIREMENTS,
    ".yml": (*_CONDA, (lazy(r"\.yml$"), "yaml")),
    ".yaml": (*_CONDA, (lazy(r"\.yaml$"), "yaml")),
    ".toml": ((lazy(r"(?:^|/)pylock(?:\.[^/.]+)?\.toml$"), "lock"),),
    # JSON holds data as a rule: only what is called like a configuration is read.
    ".json": (
        (lazy(r"(?:^|/)[^/]*(?:deepspeed|accelerate)[^/]*\.json$"), "json"),
        (lazy(r"(?:^|[/._-])(?:ds|zero|z[0-3])(?:[/._-]|[0-3])[^/]*\.json$"), "json"),
        (lazy(r"(?:^|/)(?:ds|deepspeed)[^/]*/[^/]+\.json$"), "json"),
        (lazy(r"(?:^|/)\.?devcontainer\.json$"), "json"),
        (lazy(r"(?:^|/)\.vscode/launch\.json$"), "json"),
    ),
}

# Tried on the first line of a file whose name has no suffix.
_BY_SHEBANG = (
    (lazy(rb"#![^\n]*?(?:\bpython|\bpypy|\buv +run\b)"), "python"),
    (lazy(rb"#![^\n]*?\b(?:ba|da|k|z)?sh\b"), "shell"),
)

HEAD = 256
"""How many first bytes `classify` wants at most."""

_TEST_FOLDER = lazy(r"^_?tests?$|_tests$|^(?:unit|integration|functional|regression|smoke|e2e|system)_test$")
_TEST_NAME = lazy(r"(?:test_.*|.*_test|conftest)\.pyi?$")
_EXAMPLE_FOLDERS = frozenset(
    ("example", "examples", "tutorial", "tutorials", "demo", "demos", "sample", "samples", "doc", "docs")
)
_ENTRY = lazy(r"(?:(?:pre)?train|fine_?tune|main|__main__)(?:_.*)?\.py$|.*_train\.py$")

SETTINGS = ("test", "notebook", "example", "library", "training")
"""Every answer of `setting`."""


def classify(path: str, head: bytes = b"") -> str | None:
    """The kind of a file from its POSIX path relative to the root, or None for a file that no rule reads.

    ``head`` counts only where the name has no suffix: see `needs_head`. Case does not matter, since a file
    system may ignore it and ``python TRAIN.PY`` runs everywhere.
    """
    kind = _by_path(path)
    if kind is None and head and needs_head(path):
        return next((kind for shebang, kind in _BY_SHEBANG if shebang.match(head[:HEAD])), None)
    return kind


@lru_cache(1 << 16)  # a run asks again and again
def _by_path(path: str) -> str | None:
    path = path.lower()
    name = path.rpartition("/")[2]
    stem, dot, last = name.rpartition(".")
    if dot:
        kind = (_BY_SUFFIX.get(dot + last) if stem else None) or _BY_NAME.get(name)
        if kind:
            return kind
        for pattern, kind in _BY_PATH.get(dot + last, ()):
            if pattern.search(path):
                return kind
        for pattern, kind in _BY_START:
            if pattern.search(path):
                return kind
    elif name in _BY_NAME:
        return _BY_NAME[name]
    elif name.startswith(_BUILDS):
        return "dockerfile"
    return None


def needs_head(path: str) -> bool:
    """Whether only the first bytes can tell the kind: the name has no suffix."""
    return "." not in path.rpartition("/")[2].lstrip(".")


def possible(path: str) -> bool:
    """Whether a file of this name can be of a kind that we judge."""
    return classify(path) is not None or needs_head(path)


def setting(path: str) -> str:
    """What a file is written for, from its path alone; the first that fits, of:

    test      below a folder ``test``, ``tests``, ``*_tests`` or ``unit_test`` and its like; ``test_*.py``, ``*_test.py``, ``conftest.py``
    notebook  ``*.ipynb``
    example   below ``examples``, ``tutorials``, ``demos``, ``samples`` or ``docs``, or the singular of one
    library   in a package below ``src``, but not its entry points (``train.py``, ``finetune_lora.py``, ``main.py``)
    training  everything else
    """
    *folders, name = path.lower().split("/")
    if _TEST_NAME.match(name) or any(_TEST_FOLDER.search(folder) for folder in folders):
        return "test"
    if name.endswith(".ipynb"):
        return "notebook"
    if not _EXAMPLE_FOLDERS.isdisjoint(folders):
        return "example"
    if "src" in folders[:-1] and not _ENTRY.match(name):
        return "library"
    return "training"
