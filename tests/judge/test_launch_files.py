"""Files about building and launching, from the command line: excuses, what is not judged, and the same answer twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dlgovern.cli.main import main

OLD = "torch.distributed.launch"


def check(capsys, root: Path, *words: str) -> tuple[int, dict]:
    code = main(["check", str(root), "--isolated", "--output-format", "json", "--jobs", "1", *words])
    return code, json.loads(capsys.readouterr().out)


def lay(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


SCRIPT = f"python -m {OLD} \\\n    --nproc_per_node=8 train.py\n"
STEP = f"jobs:\n  a:\n    runs-on: x\n    steps:\n      - run: python -m {OLD} train.py"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.sh", f"# dlgovern: ignore[DLG401] the cluster has nothing else\n{SCRIPT}"),
        ("Dockerfile", f"FROM a/b:1\n# dlgovern: ignore[DLG401] built for an old job\nRUN pip install x && \\\n    # why\n    {SCRIPT}"),
        ("Makefile", f"a:\n\t# dlgovern: ignore[DLG401] old\n\tpython -m {OLD} train.py\n"),
        (".github/workflows/a.yml", f"on: push\n{STEP}  # dlgovern: ignore[DLG401] old\n"),
        ("README.md", f"```bash\n# dlgovern: ignore[DLG401] history\n{SCRIPT}```\n"),
    ],
)
def test_a_comment_of_the_kind_excuses(tmp_path, capsys, path, text):
    lay(tmp_path, {path: text})

    code, said = check(capsys, tmp_path, "--no-cache", "--select", "DLG401,DLG9")

    assert [("DLG401", "suppressed")] == [(one["rule"], one["state"]) for one in said["findings"]]
    assert 0 == code


def test_an_excuse_in_a_block_of_another_language_means_another_file(tmp_path, capsys):
    lay(tmp_path, {"README.md": "```python\nx = 1  # dlgovern: ignore[DLG502] shown\n```\n```bash\ntorchrun a.py\n```\n"})

    assert (0, []) == (check(capsys, tmp_path, "--no-cache")[0], check(capsys, tmp_path, "--no-cache")[1]["findings"])


def test_what_cannot_be_read_is_said_and_the_rest_is_judged(tmp_path, capsys):
    lay(tmp_path, {"a.yaml": "image: [a\n", "b.sh": SCRIPT, "big.sh": "# python\n" * 200_000, "c.yaml": "image: " + "[" * 9_000})

    code, said = check(capsys, tmp_path, "--no-cache", "--select", "DLG401,DLG9")

    assert [("DLG901", "a.yaml"), ("DLG401", "b.sh"), ("DLG901", "c.yaml")] == [(f["rule"], f["path"]) for f in said["findings"]]
    assert ["big.sh"] == [one["path"] for one in said["not_judged"]]
    assert 3 == code


def test_large_data_that_has_the_name_of_a_configuration_is_left_out(tmp_path, capsys):
    lay(tmp_path, {"data.yaml": "image: [" + "1, " * 400_000 + "]", "a.sh": "torchrun a.py\n"})

    assert (0, []) == (check(capsys, tmp_path, "--no-cache", "--select", "DLG401,DLG9")[0], check(capsys, tmp_path, "--no-cache")[1]["not_judged"])


def test_a_finding_across_files_names_both_places_and_survives_the_cache(tmp_path, capsys):
    root = tmp_path / "project"
    lay(root, {
        "job.sbatch": "#SBATCH --ntasks-per-node=8\nsrun bash run.sh\n",
        "run.sh": "torchrun --nproc-per-node=8 train.py --rate 1\n",
        "train.py": "import argparse\np = argparse.ArgumentParser()\np.add_argument('--lr')\nargs = p.parse_args()\n",
    })
    words = ("--cache-dir", str(tmp_path / "cache"), "--select", "DLG404,DLG418")

    runs = [check(capsys, root, *words) for _ in range(3)]

    found = [(f["rule"], f["path"], f["line"], [(r["path"], r["line"]) for r in f["related"]]) for f in runs[0][1]["findings"]]
    assert found == [
        ("DLG404", "job.sbatch", 2, [("run.sh", 1), ("job.sbatch", 1)]), ("DLG418", "run.sh", 1, [("train.py", 4)]),
    ]
    assert runs[0] == runs[1] == runs[2]
    (root / "train.py").write_text((root / "train.py").read_text().replace("--lr", "--rate"))
    assert ["DLG404"] == [f["rule"] for f in check(capsys, root, *words)[1]["findings"]]
