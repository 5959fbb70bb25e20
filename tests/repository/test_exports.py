"""Names that one module of a repository passes on to another."""

from pathlib import Path

import pytest

from dlgovern.engine.walk import Walk
from dlgovern.policy import Policy, Rule
from dlgovern.repository.exports import Repository
from dlgovern.repository.reads import of_surface
from dlgovern.repository.window import Windows


def rule() -> Rule:
    """A rule that reports every call of torch.load."""
    return Rule(
        "DLG999", "loads", "", "{call}", "", "", "", "high", (), (), {}, "call", {"names": ["torch.load"]}, (), {},
        "python", "0.1", "", {"": "error"}, [{"name": "torch.load"}],
    )


def policy() -> Policy:
    """A policy with that one rule."""
    return Policy("t", "1", "f", "all", (rule(),), (), {}, (), {}, True, {})


def lay_out(root: Path, files: dict[str, str]) -> None:
    """Write the files below the root."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def lines(root: Path, path: str, *, prefilter: bool) -> list[int]:
    """The lines of the hits on one file."""
    return [hit.line for hit in Walk(policy(), str(root), Windows({}, {}), prefilter=prefilter).judge(path).hits]


CASES = {
    "renamed": ({"utils/__init__.py": "", "utils/compat.py": "from torch import load as tload\n"}, "from utils.compat import tload\ntload(p)\n"),
    "assigned": ({"compat.py": "import torch\ntload = torch.load\n"}, "from compat import tload\ntload(p)\n"),
    "module object": ({"compat.py": "from torch import load as tload\n"}, "import compat as c\nc.tload(p)\n"),
    "twice": (
        {"pkg/__init__.py": "from .compat import tload\n", "pkg/compat.py": "from torch import load as tload\n"},
        "from pkg import tload\ntload(p)\n",
    ),
    "star": ({"compat.py": "from torch import load as tload\n"}, "from compat import *\ntload(p)\n"),
    "star with __all__": ({"compat.py": "from torch import load as tload\n__all__ = ['tload']\n"}, "from compat import *\ntload(p)\n"),
    "the library itself": ({"compat.py": "import torch\n"}, "from compat import torch\ntorch.load(p)\n"),
    "under a fallback": (
        {"compat.py": "try:\n    from torch import load as tload\nexcept ImportError:\n    tload = None\n"},
        "from compat import tload\ntload(p)\n",
    ),
    "from the src layout": ({"src/pkg/__init__.py": "", "src/pkg/compat.py": "from torch import load as tload\n"}, "from pkg.compat import tload\ntload(p)\n"),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("prefilter", [True, False])
def test_a_name_is_followed_through_the_repository(tmp_path: Path, name: str, prefilter: bool) -> None:
    """With and without the prefilter the same place is found."""
    files, code = CASES[name]
    lay_out(tmp_path, {**files, "use.py": code})
    assert lines(tmp_path, "use.py", prefilter=prefilter) == [2]


QUIET = {
    "defined there": ({"compat.py": "def tload(p):\n    return p\n"}, "from compat import tload\ntload(p)\n"),
    "another library": ({"compat.py": "from json import load as tload\n"}, "from compat import tload\ntload(p)\n"),
    "hidden by __all__": (
        {"compat.py": "from torch import load as tload\n__all__ = ['other']\nother = 1\n"},
        "from compat import other\nother(p)\n",
    ),
    "a file called torch": ({"torch.py": "def load(p):\n    return p\n"}, "import torch\ntorch.load(p)\n"),
}


@pytest.mark.parametrize("name", [name for name in QUIET if name != "a file called torch"])
@pytest.mark.parametrize("prefilter", [True, False])
def test_what_only_looks_passed_on_stays_silent(tmp_path: Path, name: str, prefilter: bool) -> None:
    """A definition of the repository is its own."""
    files, code = QUIET[name]
    lay_out(tmp_path, {**files, "use.py": code})
    assert lines(tmp_path, "use.py", prefilter=prefilter) == []


def test_modules_that_import_each_other_end(tmp_path: Path) -> None:
    """A circle of imports has no origin and no end of the world."""
    lay_out(tmp_path, {"a.py": "from b import x\n", "b.py": "from a import x\n"})
    assert None is Repository(str(tmp_path)).origin("a.py", "x")[0]


def test_an_answer_names_the_files_it_was_taken_from(tmp_path: Path) -> None:
    """The cache rests on them."""
    lay_out(tmp_path, {"a.py": "from b import x\n", "b.py": "from torch import load as x\n"})
    wanted = frozenset({of_surface("a.py"), of_surface("b.py")})
    assert ("torch.load", wanted) == Repository(str(tmp_path)).origin("a.py", "x")


def test_a_constant_of_another_file_is_known(tmp_path: Path) -> None:
    """``from config import SAFE``."""
    lay_out(tmp_path, {"config.py": "SAFE = False\nTWICE = 1\nTWICE = 2\n"})
    repository = Repository(str(tmp_path))
    assert [repository.constant("config.py", name)[0] for name in ("SAFE", "TWICE")] == [False, ...]
