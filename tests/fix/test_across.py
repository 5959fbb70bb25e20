"""The distribution that code needs is added to the one manifest that says what is needed, or to none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dlgovern.cli.main import main

YAML = "import torch\nimport yaml\n"
EXPORT = "import torch\ntorch.onnx.export(torch.nn.Linear(2, 2), (torch.ones(1, 2),), 'a.onnx')\n"
PROJECT = """\
# what we are
[project]
name = "trainer"
dependencies = [
    "torch>=2.9",  # the build for GPUs
    # tables
    "numpy",
    # add below
]

[tool.ruff]  # style
line-length = 100
"""


def lay(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text.encode())
    return root


def fix(root: Path, *words: str, select: str = "DLG104,DLG120") -> dict[str, str]:
    """Run ``dlgovern fix``: the text of every file afterwards."""
    main(["fix", str(root), "--isolated", "--no-cache", "--select", select, *words])
    return {one.relative_to(root).as_posix(): one.read_bytes().decode() for one in root.rglob("*") if one.is_file()}


def fixed(root: Path, files: dict[str, str], *words: str, select: str = "DLG104,DLG120") -> dict[str, str]:
    """The files that ``dlgovern fix --unsafe-fixes`` changed, with their text."""
    after = fix(lay(root, files), "--unsafe-fixes", *words, select=select)
    return {path: text for path, text in after.items() if text != files[path]}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("torch\n", "torch\nPyYAML\n"),
        ("torch", "torch\nPyYAML"),
        ("torch\r\nnumpy\r\n", "torch\r\nnumpy\r\nPyYAML\r\n"),
        ("torch\r\nnumpy", "torch\r\nnumpy\r\nPyYAML"),
        ("\ufefftorch\n# the end\n\n", "\ufefftorch\n# the end\n\nPyYAML\n"),
        ("-c constraints.txt\ntorch \\\n  >=2.9\n", "-c constraints.txt\ntorch \\\n  >=2.9\nPyYAML\n"),
    ],
)
def test_a_line_is_appended_in_the_way_of_the_file(tmp_path, before, after):
    files = {"requirements.txt": before, "train.py": YAML, "constraints.txt": "numpy<3\n"}

    assert {"requirements.txt": after} == fixed(tmp_path, files)
    assert after == fix(tmp_path, "--unsafe-fixes")["requirements.txt"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (PROJECT, PROJECT.replace("below\n", 'below\n    "onnxscript",\n    "PyYAML",\n')),
        (PROJECT.replace("\n", "\r\n"), PROJECT.replace("below\n", 'below\n    "onnxscript",\n    "PyYAML",\n').replace("\n", "\r\n")),
        (
            '[project]\nname = "a"\ndependencies = ["torch>=2.9"] # all\n',
            '[project]\nname = "a"\ndependencies = ["torch>=2.9", "onnxscript", "PyYAML"] # all\n',
        ),
        (
            "[project]\nname = 'a'\ndependencies = [\n  'numpy',\n  'torch>=2.9' # last\n]",
            "[project]\nname = 'a'\ndependencies = [\n  'numpy',\n  'torch>=2.9', # last\n  \"onnxscript\",\n  \"PyYAML\"\n]",
        ),
    ],
)
def test_the_list_of_a_project_keeps_its_comments_and_its_layout(tmp_path, before, after):
    files = {"pyproject.toml": before, "src/trainer/__init__.py": "", "src/trainer/train.py": YAML, "src/trainer/export.py": EXPORT}

    assert {"pyproject.toml": after} == fixed(tmp_path, files)


def test_several_findings_that_want_the_same_give_one_line(tmp_path, capsys):
    files = {"requirements.txt": "torch>=2.9\n", "train.py": YAML, "more.py": YAML + "import einops\n", "export.py": EXPORT}

    assert {"requirements.txt": "torch>=2.9\neinops\nonnxscript\nPyYAML\n"} == fixed(tmp_path, files)
    assert "repaired requirements.txt: DLG104 (3), DLG120\n" in capsys.readouterr().err


def test_the_diff_names_the_manifest_and_writes_nothing(tmp_path, capsys):
    files = {"requirements.txt": "torch\n", "train.py": YAML}

    assert {} == fixed(tmp_path, files, "--diff")
    assert "--- a/requirements.txt\n+++ b/requirements.txt\n@@ -1 +1,2 @@\n torch\n+PyYAML\n" == capsys.readouterr().out


def test_it_is_unsafe(tmp_path):
    files = {"requirements.txt": "torch\n", "train.py": YAML}

    assert files == fix(lay(tmp_path, files))


def test_the_report_of_a_finding_names_the_other_file(tmp_path, capsys):
    lay(tmp_path, {"requirements.txt": "torch\n", "train.py": YAML})
    words = ["check", str(tmp_path), "--isolated", "--no-cache", "--select", "DLG104", "--output-format"]

    main([*words, "json"])
    made = json.loads(capsys.readouterr().out)["findings"][0]["fix"]
    main([*words, "sarif"])
    changes = json.loads(capsys.readouterr().out)["runs"][0]["results"][0]["fixes"][0]["artifactChanges"]

    assert {"safe": False, "edits": [{"start": 6, "end": 6, "text": "PyYAML\n", "path": "requirements.txt"}]} == made
    assert ["requirements.txt"] == [one["artifactLocation"]["uri"] for one in changes]


def test_the_versions_are_those_that_the_standard_supports(tmp_path):
    files = {"requirements.txt": "numpy\n", "train.py": "import torch\n"}

    assert {"requirements.txt": "numpy\ntorch\n"} == fixed(tmp_path, files, "--assume", "torch=2.15")
    assert {"requirements.txt": "numpy\ntorch<2.14\n"} == fixed(tmp_path, files)


def test_hashes_on_lines_of_their_own_are_seen(tmp_path):
    listed = f"torch==2.9.0 \\\n    --hash=sha256:{'a' * 64}\n"

    assert {} == fixed(tmp_path, {"requirements.txt": listed, "train.py": YAML})


@pytest.mark.parametrize(
    "others",
    [
        {"requirements-dev.txt": "pytest\n", "docs/requirements.txt": "sphinx\n", "pyproject.toml": "[tool.ruff]\nline-length = 9\n"},
        {"setup.py": "from setuptools import setup\nsetup(name='a', install_requires=open('requirements.txt').read().split())\n"},
        {"requirements-gpu.txt": "-r requirements.txt\nnumpy\n"},
        {"setup.py": "from setuptools import setup\nsetup()\n"},
    ],
)
def test_a_list_for_others_or_one_that_takes_its_list_from_here_is_no_second_answer(tmp_path, others):
    files = {"requirements.txt": "torch\n", "train.py": YAML, **others}

    assert {"requirements.txt": "torch\nPyYAML\n"} == fixed(tmp_path, files)


def test_the_nearest_folder_answers(tmp_path):
    files = {"requirements.txt": "torch\n", "tools/requirements.txt": "numpy\n", "tools/train.py": YAML}

    assert {"tools/requirements.txt": "numpy\nPyYAML\n"} == fixed(tmp_path, files)


@pytest.mark.parametrize(
    "files",
    [
        {"requirements.txt": "torch\n", "pyproject.toml": '[project]\nname = "a"\ndependencies = ["torch"]\n'},
        {"requirements.txt": "torch\n", "setup.py": "from setuptools import setup\nsetup(name='a', install_requires=['torch'])\n"},
        {"requirements.txt": "torch\n", "requirements-gpu.txt": "triton\n"},
        {"requirements.txt": "torch\n", "environment.yml": "dependencies:\n- numpy\n"},
        {"requirements.txt": f"torch==2.9.0 --hash=sha256:{'a' * 64}\n"},
        {"requirements.txt": "--require-hashes\ntorch\n"},
        {"requirements.txt": "# This file is autogenerated by pip-compile with Python 3.11\ntorch\n"},
        {"requirements.txt": "# This file was autogenerated by uv via the following command:\n#    uv pip compile in\ntorch\n"},
        {"requirements.txt": "torch\nsympy==1.13.1\n    # via torch\n"},
        {"requirements.txt": "torch\nno requirement at all\n"},
        {"requirements.txt": "torch \\\n"},
        {"requirements/base.txt": "torch\n"},
        {"requirements-dev.txt": "torch\n"},
        {"setup.py": "from setuptools import setup\nsetup(name='a', install_requires=['torch'])\n"},
        {"pyproject.toml": '[project]\nname = "a"\n[project.optional-dependencies]\ngpu = ["torch"]\n'},
        {"pyproject.toml": '[tool.poetry]\nname = "a"\n[tool.poetry.dependencies]\ntorch = "*"\n'},
        {"pyproject.toml": '[project]\nname = "a"\ndependencies = ["numpy"]\n[tool.poetry.dependencies]\ntorch = "*"\n'},
        {"requirements.txt": "torch\n", "uv.lock": 'version = 1\n[[package]]\nname = "torch"\nversion = "2.9.0"\n'},
    ],
)
def test_there_is_no_repair_where_it_is_not_sure_which_list_is_meant(tmp_path, files, capsys):
    assert {} == fixed(tmp_path, {"train.py": YAML, **files})
    assert "DLG104 yaml comes from PyYAML" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("path", "repaired"),
    [("src/a/train.py", True), ("a/train.py", True), ("a/more/train.py", True), ("tools/train.py", False), ("train.py", False)],
)
def test_the_list_of_a_project_that_is_built_is_for_its_packages(tmp_path, path, repaired):
    project = '[build-system]\nrequires = ["hatchling"]\n[project]\nname = "a"\ndependencies = ["torch"]\n'
    files = {"pyproject.toml": project, path: YAML, "a/__init__.py": "", "src/a/__init__.py": ""}

    assert ({"pyproject.toml": project.replace('"torch"', '"torch", "PyYAML"')} if repaired else {}) == fixed(tmp_path, files)


def test_nothing_is_made_where_there_is_no_manifest(tmp_path):
    assert {} == fixed(tmp_path, {"train.py": YAML, "export.py": EXPORT})


@pytest.mark.parametrize("module", ["cv2", "unheard_of", "fairscale"])
def test_there_is_no_repair_where_the_name_is_not_sure_or_not_approved(tmp_path, module, capsys):
    files = {"requirements.txt": "torch\n", "train.py": f"import torch\nimport {module}\n"}

    assert {} == fixed(tmp_path, files, "--min-confidence", "low")
    assert f"DLG104 {module} comes from" in capsys.readouterr().out


def test_what_brings_another_finding_is_left_and_the_rest_is_repaired(tmp_path, capsys):
    files = {"requirements.txt": "torch>=2.9,<2.14\n", "train.py": YAML + "import transformers\n"}

    after = fixed(tmp_path, files, "--profile", "all", select="DLG104,DLG106")

    assert {"requirements.txt": "torch>=2.9,<2.14\nPyYAML\n"} == after
    assert "not repaired: requirements.txt DLG104: the repaired file does not stand its proof" in capsys.readouterr().err


def test_a_finding_in_a_file_that_is_repaired_itself_waits_for_the_next_run(tmp_path, capsys):
    files = {"requirements.txt": "torch\n", "train.py": YAML + "torch.load('a.pt')\n"}

    assert ["train.py"] == list(fixed(tmp_path, files, select="DLG104,DLG503"))
    assert "not repaired: requirements.txt DLG104: train.py is repaired first; run again" in capsys.readouterr().err
    assert "torch\nPyYAML\n" == fix(tmp_path, "--unsafe-fixes", select="DLG104,DLG503")["requirements.txt"]


def test_it_comes_behind_the_repairs_of_the_manifest_itself(tmp_path):
    files = {"requirements.txt": "torch==2.4.0\ntorchvision==0.18.0\n", "train.py": YAML}

    after = fixed(tmp_path, files, select="DLG104,DLG111")

    assert {"requirements.txt": "torch==2.4.0\ntorchvision>=0.19,<0.20\nPyYAML\n"} == after


def test_a_finding_that_is_excused_is_not_repaired(tmp_path):
    files = {"requirements.txt": "torch\n", "train.py": "import torch\nimport yaml  # dlgovern: ignore[DLG104] brought by the image\n"}

    assert {} == fixed(tmp_path, files)
