"""Locks that the tools themselves write, read back: what they fix is what was asked for."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dlgovern.evidence.manifests import read_at

pytestmark = pytest.mark.slow
PROJECT = '[project]\nname = "trainer"\nversion = "0.1"\nrequires-python = ">=3.11"\ndependencies = ["layers>=1", "kernels==2.0"]\n'


def wheel(folder: Path, name: str, version: str, needs: str = "") -> None:
    """A wheel with nothing in it but what a resolver reads."""
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" + (f"Requires-Dist: {needs}\n" if needs else "")
    files = {
        f"{name}/__init__.py": "",
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = []
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(text)}")
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""])
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project, and the wheels that its requirements can be met from."""
    (tmp_path / "wheels").mkdir()
    for name, version, needs in (("layers", "1.0", "shared"), ("layers", "1.1", "shared"), ("kernels", "2.0", ""), ("shared", "3.0", "")):
        wheel(tmp_path / "wheels", name, version, needs)
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    return tmp_path


def locked(project: Path, *command: str) -> list[tuple[str, str]]:
    """What the lock says that a command wrote. Lines must hold the version they are said to hold."""
    name = command[0]
    home = {"HOME": str(project / "home"), "PDM_PYTHON": sys.executable, "PDM_CHECK_UPDATE": "0"}
    subprocess.run(
        [sys.executable, "-m", *command[1:]], cwd=project, check=True, capture_output=True, timeout=120, env={**os.environ, **home}
    )
    found = read_at(str(project), name)
    lines = (project / name).read_text().split("\n")
    assert [one for one in found.locked if one.version not in lines[one.line - 1]] == []
    return sorted((one.name, one.version) for one in found.locked)


EXPECTED = [("kernels", "2.0"), ("layers", "1.1"), ("shared", "3.0")]


def test_uv(project: Path) -> None:
    pytest.importorskip("uv")
    assert locked(project, "uv.lock", "uv", "lock", "--no-index", "--find-links", "wheels") == EXPECTED
    assert read_at(str(project), "uv.lock").written_for == (("kernels", "==2.0"), ("layers", ">=1"))


def test_uv_in_the_form_of_the_standard(project: Path) -> None:
    pytest.importorskip("uv")
    said = ["--no-index", "--find-links", "wheels", "--format", "pylock.toml", "-o", "pylock.toml", "pyproject.toml"]
    assert locked(project, "pylock.toml", "uv", "pip", "compile", *said) == EXPECTED


def test_pip(project: Path) -> None:
    pytest.importorskip("pip", minversion="25.1")
    said = ["--no-index", "--find-links", "wheels", "layers>=1", "kernels==2.0"]
    assert locked(project, "pylock.toml", "pip", "lock", *said) == EXPECTED


@pytest.fixture
def index(project: Path) -> Iterator[str]:
    """The same wheels as an index of this machine."""
    for wheel in sorted((project / "wheels").iterdir()):
        folder = project / "simple" / wheel.name.partition("-")[0]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / wheel.name).write_bytes(wheel.read_bytes())
        links = "".join(f'<a href="{one.name}">{one.name}</a>\n' for one in sorted(folder.glob("*.whl")))
        (folder / "index.html").write_text(links)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(project)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/simple/"
    server.shutdown()
    server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_words: object) -> None:
        """Say nothing."""


def test_poetry(project: Path, index: str) -> None:
    pytest.importorskip("poetry")
    source = f'[[tool.poetry.source]]\nname = "here"\nurl = "{index}"\npriority = "primary"\n'
    (project / "pyproject.toml").write_text(f"{PROJECT}[tool.poetry]\npackage-mode = false\n{source}")
    assert locked(project, "poetry.lock", "poetry", "lock", "-n") == EXPECTED


def test_pdm(project: Path) -> None:
    pytest.importorskip("pdm")
    source = f'[[tool.pdm.source]]\nname = "pypi"\nurl = "{(project / "wheels").as_uri()}/"\ntype = "find_links"\n'
    (project / "pyproject.toml").write_text(PROJECT + source)
    assert locked(project, "pdm.lock", "pdm", "lock") == EXPECTED
