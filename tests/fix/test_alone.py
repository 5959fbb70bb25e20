"""A repair that a rule about the whole repository has: it is made where the rest of the repository allows it."""

from __future__ import annotations

from pathlib import Path

from dlgovern.cli.main import main


def fixed(root: Path, *words: str) -> str:
    main(["fix", str(root), "--isolated", "--select", "DLG111", "--no-cache", *words])
    return (root / "requirements.txt").read_text()


def lay(root: Path, **files: str) -> Path:
    for name, text in files.items():
        (root / f"{name}.txt").write_text(text)
    return root


def test_the_companion_follows_torch_where_it_is_asked_for(tmp_path):
    root = lay(tmp_path, requirements="torch==2.4.0\ntorchvision==0.18.0  # images\n")

    said = [fixed(root), fixed(root, "--unsafe-fixes"), fixed(root, "--unsafe-fixes")]

    after = "torch==2.4.0\ntorchvision>=0.19,<0.20  # images\n"
    assert ["torch==2.4.0\ntorchvision==0.18.0  # images\n", after, after] == said


def test_it_stays_where_another_file_asks_for_the_old_one(tmp_path):
    root = lay(tmp_path, requirements="torch==2.4.0\ntorchvision==0.18.0\n", constraints="torchvision<0.19\n")

    assert "torch==2.4.0\ntorchvision==0.18.0\n" == fixed(root, "--unsafe-fixes")


def test_it_stays_where_torch_may_be_of_two_lines(tmp_path):
    root = lay(tmp_path, requirements="torch>=2.4,<2.6\ntorchvision==0.18.0\n")

    assert "torch>=2.4,<2.6\ntorchvision==0.18.0\n" == fixed(root, "--unsafe-fixes")
