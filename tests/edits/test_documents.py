"""Repairs of scripts, images, manifests and requirements: what they write, and when they leave a file alone."""

from __future__ import annotations

import pytest

from dlgovern import bundled
from dlgovern.edits import documents
from dlgovern.edits.sheet import Sheet
from dlgovern.fix.merge import replace
from dlgovern.fix.prove import fault
from dlgovern.judge.evidence import judge_evidence
from dlgovern.policy import Rule
from dlgovern.repository.exports import Repository
from dlgovern.repository.window import Window, Windows
from dlgovern.standard.compile import compile_policy
from dlgovern.standard.read import read_standard

READS_THE_VARIABLE = 'import os\nprint(os.environ["LOCAL_RANK"])\n'
NEEDS_THE_ARGUMENT = 'parser.add_argument("--local_rank", type=int)\n'
ASKS_FOR_BOTH = NEEDS_THE_ARGUMENT + READS_THE_VARIABLE
NEW = Windows({"": {"torch": Window((2, 6), (), "requirements.txt:1")}}, {"torch": Window((2, 6), (2, 14), "the standard")})


@pytest.fixture(scope="module")
def shipped():
    return compile_policy([read_standard(bundled.folder("rules"))], "all")


@pytest.fixture
def repaired(tmp_path, shipped):
    """A function that repairs one file by one rule: the text and whether it is safe, None where nothing is offered."""

    def repaired(rule_id: str, path: str, text: str | bytes, windows: Windows = NEW, **others: str):
        data = text.encode() if isinstance(text, str) else text
        for name, content in {path: data, **{name.replace("__", "/"): one.encode() for name, one in others.items()}}.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(content)
        rule: Rule = next(one for one in shipped.rules if one.id == rule_id)
        results = judge_evidence(shipped._replace(rules=(rule,)), str(tmp_path), [path], windows)
        sheet = Sheet(path, data, Repository(str(tmp_path)), windows)
        fixes = [fix for one in results for hit in one.hits if (fix := documents.repair(rule, hit, sheet))]
        if not fixes:
            return None
        edits = sorted({edit for fix in fixes for edit in fix.edits}, key=lambda edit: edit.start)
        after = replace(data, edits, "utf_8")
        assert fault(path, data, after, edits) == ""
        return after.decode(), all(fix.safe for fix in fixes)

    return repaired


LAUNCH = "python -m torch.distributed.launch --nproc_per_node=8 train.py --x 1\n"


@pytest.mark.parametrize(
    ("script", "safe"), [(READS_THE_VARIABLE, True), (ASKS_FOR_BOTH, False), ("rank = args.local_rank\n", False)]
)
def test_torchrun_is_safe_where_the_script_does_not_speak_of_an_argument(repaired, script, safe):
    found = repaired("DLG401", "train.sh", LAUNCH, **{"train.py": script})
    assert found == ("torchrun --nproc_per_node=8 train.py --x 1\n", safe)


def test_a_script_that_knows_its_rank_by_the_argument_alone_is_left(repaired):
    assert repaired("DLG401", "train.sh", LAUNCH, **{"train.py": NEEDS_THE_ARGUMENT}) is None


def test_the_argument_may_be_asked_for_in_a_module_of_the_repository(repaired):
    others = {"train.py": "from tools.options import parse\n", "tools/options.py": NEEDS_THE_ARGUMENT, "tools/__init__.py": ""}
    assert repaired("DLG401", "scripts/train.sh", LAUNCH, **others) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("$PYTHON -m torch.distributed.launch train.py\n", "$PYTHON -m torch.distributed.run train.py\n"),
        ("python -u -m torch.distributed.launch --use_env train.py\n", "torchrun train.py\n"),
        ("python -m torch.distributed.launch \\\n  --use-env \\\n  train.py\n", "torchrun \\\n  train.py\n"),
        ("python -m torch.distributed.launch \\\n  --use_env train.py\n", "torchrun \\\n  train.py\n"),
        ("X=1 srun python -W ignore -m torch.distributed.launch train.py\n", "X=1 srun python -W ignore -m torch.distributed.run train.py\n"),
        ('GO="-m torch.distributed.launch --use_env --nnodes=2"\npython $GO train.py\n', 'GO="-m torch.distributed.run --nnodes=2"\npython $GO train.py\n'),
    ],
)
def test_a_command_keeps_all_but_its_launcher(repaired, before, after):
    assert repaired("DLG401", "train.sh", before, **{"train.py": READS_THE_VARIABLE}) == (after, True)


def test_a_command_in_an_image_stays_a_list_and_its_lines_keep_their_ends(repaired):
    before = b'\xef\xbb\xbfFROM python:3.11\r\nCMD ["python", "-m", "torch.distributed.launch", "train.py"]\r\n'
    found = repaired("DLG401", "Dockerfile", before, **{"train.py": READS_THE_VARIABLE})
    assert found == (before.replace(b"launch", b"run").decode(), True)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("Dockerfile", 'CMD ["python", "-m", "torch.distributed.launch", "--use_env", "train.py"]\n'),
        ("train.sh", b"# \xe9\npython -m torch.distributed.launch train.py\n"),
        ("train.sh", "# a\rb\npython -m torch.distributed.launch train.py\n"),
    ],
)
def test_what_cannot_be_changed_for_sure_is_left(repaired, path, text):
    assert repaired("DLG401", path, text, **{"train.py": READS_THE_VARIABLE}) is None


def test_an_old_torch_has_no_torchrun(repaired):
    old = Windows({"": {"torch": Window((1, 8), (), "requirements.txt:1")}}, {})
    assert repaired("DLG401", "train.sh", LAUNCH, old, **{"train.py": READS_THE_VARIABLE}) is None


def test_a_variable_that_the_script_reads_again_keeps_its_name(repaired):
    set_ = "export NCCL_BLOCKING_WAIT=1\n"
    assert repaired("DLG409", "train.sh", set_) == (f"export TORCH_{set_[7:]}", True)
    assert repaired("DLG409", "train.sh", f"{set_}echo $NCCL_BLOCKING_WAIT\n") is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("torch>=2.7\n", "torch>=2.7,<2.14\n"),
        ("torch\n", "torch>=2.6,<2.14\n"),
        ("torch[opt] != 2.8.0 ; python_version > '3'  # why\n", "torch[opt]>=2.6,<2.14,!=2.8.0 ; python_version > '3'  # why\n"),
    ],
)
def test_a_requirement_gets_the_ends_of_the_standard(repaired, before, after):
    assert repaired("DLG106", "requirements.txt", before) == (after, False)


def test_a_requirement_in_a_table_of_another_form_is_left(repaired):
    assert repaired("DLG106", "pyproject.toml", '[tool.poetry.dependencies]\ntorch = ">=2.7"\n') is None


def test_a_volume_of_that_name_is_not_made_twice(repaired):
    pod = "apiVersion: batch/v1\nkind: Job\nspec:\n  template:\n    spec:\n      containers:\n      - name: a\n        image: a:1\n"
    pod += "        resources: {limits: {nvidia.com/gpu: 1}}\n"
    text, safe = repaired("DLG407", "job.yaml", pod)
    assert (text.count("/dev/shm"), text.count("medium: Memory"), safe) == (1, 1, False)
    assert repaired("DLG407", "job.yaml", f"{pod}      volumes:\n      - name: shm\n        emptyDir: {{}}\n") is None


UV = '[project]\nname = "a"\nversion = "0"\nrequires-python = ">=3.11"\ndependencies = ["torch==2.13.0", "numpy"]\n'
INDEX = '[[tool.uv.index]]\nname = "pytorch"\nurl = "https://download.pytorch.org/whl/cu130"\n'


def test_an_index_becomes_explicit_and_is_named_by_what_comes_from_it(repaired):
    text, safe = repaired("DLG108", "pyproject.toml", f"{UV}\n[tool.uv.sources]\nb = {{ path = \"b\" }}\n\n{INDEX}")
    assert (text.split("\n")[6:], safe) == (
        [
            "[tool.uv.sources]", 'torch = { index = "pytorch" }', 'b = { path = "b" }', "", "[[tool.uv.index]]", 'name = "pytorch"',
            'url = "https://download.pytorch.org/whl/cu130"', "explicit = true", "",
        ],
        False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        UV.replace("torch==2.13.0", "pillow") + INDEX,
        f"{UV}[tool.uv.sources]\ntorch = {{ index = \"other\" }}\n{INDEX}",
        UV + INDEX.replace("https://download.pytorch.org/whl/cu130", "https://packages.example.com/simple"),
        UV + '[tool.uv]\nindex = [{ name = "pytorch", url = "https://download.pytorch.org/whl/cu130" }]\n',
    ],
)
def test_an_index_of_which_nobody_knows_what_it_is_for_is_left(repaired, text):
    assert repaired("DLG108", "pyproject.toml", text) is None
