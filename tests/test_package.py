"""The wheel: the same from the checkout and from the sdist, holding what git tracks, working where it is installed."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MOVED = {"src/dlgovern/": "dlgovern/", "rules/": "dlgovern/_bundled/rules/", "templates/": "dlgovern/_bundled/templates/"}


def build(source: Path, out: Path, *kinds: str) -> Path:
    """Build with the installed hatchling; the newest file in ``out``."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), *kinds, str(source)]
    subprocess.run(command, check=True, capture_output=True, timeout=200)
    return max(out.iterdir(), key=lambda path: path.stat().st_mtime_ns)


def content(wheel: Path) -> dict[str, bytes]:
    """The files of a wheel without the list of their hashes."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/RECORD")}


def tracked() -> dict[str, bytes]:
    """What git would commit of the package, under its name in the wheel."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *MOVED],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split("\0")
    found = {}
    for name in listed:
        for start, moved in MOVED.items():
            if name.startswith(start) and (ROOT / name).is_file():
                found[moved + name.removeprefix(start)] = (ROOT / name).read_bytes()
    return found


@pytest.fixture(scope="module")
def sdist(tmp_path_factory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("sdist"), "--sdist")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("wheel"), "--wheel")


@pytest.mark.slow
def test_the_wheel_holds_what_git_tracks(wheel):
    inside = {name: data for name, data in content(wheel).items() if ".dist-info/" not in name}
    assert sorted(tracked()) == sorted(inside)
    assert tracked() == inside


@pytest.mark.slow
def test_the_wheel_of_the_sdist_is_the_same(sdist, wheel, tmp_path):
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (source,) = (tmp_path / "unpacked").iterdir()
    (tmp_path / "out").mkdir()
    assert content(wheel) == content(build(source, tmp_path / "out", "--wheel"))


@pytest.mark.slow
def test_an_installed_wheel_finds_its_rules_and_judges(wheel, tmp_path):
    venv.create(tmp_path / "venv", with_pip=False, system_site_packages=False)
    python = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    site = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], check=True, capture_output=True, text=True
    ).stdout.strip()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # The dependencies of the interpreter that runs the tests, behind our wheel; its editable install is not seen.
    others = [path for path in sys.path if path.endswith("site-packages")]
    (Path(site) / "others.pth").write_text("\n".join(f"import sys; sys.path.append({path!r})" for path in others) + "\n")
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "train.py").write_text("import torch\nstate = torch.load('a.pt', weights_only=False)\n")
    code = "import dlgovern, sys; from dlgovern import bundled; print(bundled.folder('rules'), dlgovern.__file__)"
    said = subprocess.run([python, "-P", "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert {True} == {Path(path).resolve().is_relative_to(Path(site).resolve()) for path in said}
    ran = subprocess.run(
        [python, "-P", "-m", "dlgovern", "check", "--no-cache", "."],
        cwd=tmp_path / "work", capture_output=True, text=True, timeout=120, check=False,
    )
    assert (1, True) == (ran.returncode, "train.py:2:9 error DLG502" in ran.stdout), ran.stdout + ran.stderr


def test_an_editable_install_reads_the_checkout():
    from dlgovern import bundled

    if "site-packages" in bundled.__file__:
        pytest.skip("dlgovern is installed as a wheel")
    assert ROOT / "rules" == Path(bundled.folder("rules"))


def test_the_entry_points_lead_somewhere():
    import tomli

    project = tomli.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = [*project["scripts"].values(), *project["entry-points"]["flake8.extension"].values()]
    for name in named:
        module, _, attribute = name.partition(":")
        assert hasattr(__import__(module, fromlist=[attribute]), attribute), name
