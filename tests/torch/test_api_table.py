"""The torch API tables hold what the hand-kept lists say, and torch 2.13 contradicts no row of them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
sys.path.insert(0, str(SCRIPTS))

import torch_api as api  # noqa: E402 - the scripts are no package

GROUPS = ("general", "amp", "functorch", "onnx", "jit", "export", "quantization", "distributed")
# What the release notes of torch are known to say, to notice when the raw list misleads.
HISTORY = {
    "torch.compile": "2.0",
    "torch.func.vmap": "2.0",
    "torch.nn.functional.scaled_dot_product_attention": "2.0",
    "torch.export.export": "2.1",
    "torch.distributed.device_mesh.init_device_mesh": "2.2",
    "torch.distributed.checkpoint.state_dict.get_model_state_dict": "2.2",
    "torch.amp.GradScaler": "2.3",
    "torch.get_default_device": "2.3",
    "torch.nn.attention.sdpa_kernel": "2.3",
    "torch.nn.RMSNorm": "2.4",
    "torch.amp.custom_fwd": "2.4",
    "torch.distributed.get_node_local_rank": "2.4",
    "torch.distributed.tensor.DTensor": "2.5",
    "torch.nn.attention.flex_attention.flex_attention": "2.5",
    "torch.serialization.safe_globals": "2.5",
    "torch.accelerator.current_accelerator": "2.6",
    "torch.distributed.fsdp.fully_shard": "2.6",
    "torch.backends.cudnn.fp32_precision": "2.9",
    "torch.optim.Muon": "2.9",
    "torch.distributed.all_gather_single": "2.13",
    "torch.distributed.gather_single": "2.14",
}
OLD = (
    "torch.zeros",
    "torch.vmap",
    "torch.nn.Linear",
    "torch.nn.functional.softmax",
    "torch.optim.AdamW",
    "torch.utils.checkpoint.checkpoint",
    "torch.distributed.all_reduce",
    "torch.distributed.fsdp.FullyShardedDataParallel",
    "torch.distributed.fsdp.StateDictType",
    "torch.nn.intrinsic.qat.ConvBn2d",
    "torch.cuda.amp.autocast",
    "torch.amp.autocast",
    "torch.jit.script",
    "torch.onnx.export",
)


@pytest.fixture(scope="module")
def names() -> dict[str, api.Name]:
    return {row.name: row for row in api.read(api.NAMES, api.Name)}


@pytest.fixture(scope="module")
def arguments() -> dict[tuple[str, str], api.Argument]:
    return {(row.name, row.argument): row for row in api.read(api.ARGUMENTS, api.Argument)}


@pytest.fixture(scope="module")
def contradictions() -> list[list[str]]:
    torch = pytest.importorskip("torch")
    if not torch.__version__.startswith("2.13."):
        pytest.skip("the tables are proven on torch 2.13")
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / "torch_api.py")], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def nearest(names: dict[str, api.Name], name: str) -> api.Name | None:
    parts = name.split(".")
    return next((names[p] for end in range(len(parts), 0, -1) if (p := ".".join(parts[:end])) in names), None)


@pytest.mark.parametrize(("path", "kind", "keys"), [(api.NAMES, api.Name, 1), (api.ARGUMENTS, api.Argument, 2)])
def test_a_table_is_sorted_and_has_one_row_for_each_key(path, kind, keys):
    """A table is sorted, so a change shows as a small diff, and no key has two rows."""
    rows = api.read(path, kind)
    assert rows == sorted(rows)
    assert len({row[:keys] for row in rows}) == len(rows)


def test_a_row_says_something(names, arguments):
    """A row has at least one state, a note that is a sentence, and versions that are numbers."""
    for row in [*names.values(), *arguments.values()]:
        states = [row.added, row.deprecated, row.removed]
        assert any(states), row
        assert all(api.version(state) >= (1, 13) for state in states if state), row
        assert row.note.endswith("."), row
        assert "  " not in row.note, row


def test_states_come_in_order(names, arguments):
    """Nothing warns before it exists or goes before it warns."""
    for row in [*names.values(), *arguments.values()]:
        states = [api.version(state) for state in (row.added, row.deprecated, row.removed) if state]
        assert states == sorted(states), row


def test_a_repair_names_a_replacement_and_its_first_release(names, arguments):
    """A rename or an insertion has a replacement and the release from which it may be applied."""
    for row in names.values():
        assert row.fix in ("rename", "insert", "none"), row
        assert row.group in GROUPS, row
        if row.fix != "none":
            assert row.replacement, row
            assert row.since, row
    for row in arguments.values():
        assert row.fix in ("delete", "rename", "none"), row
        assert row.fix != "rename" or row.replacement, row


def test_a_replacement_is_not_newer_than_the_row_says(names):
    """A repair gated by `since` never writes a name that the gated release lacks."""
    for row in names.values():
        there = nearest(names, row.replacement.partition("(")[0])
        if row.fix != "none" and there is not None:
            assert api.version(there.added) <= api.version(row.since), row


def test_every_curated_name_is_in_the_table_as_it_was_written(names):
    """The committed table is not older than the hand-kept list of names."""
    for row in api.read(api.CURATED_NAMES, api.CuratedName):
        built = names[row.name]
        for field in ("group", "deprecated", "removed", "replacement", "fix", "since", "note"):
            assert getattr(built, field) == getattr(row, field), row.name
        assert row.added == "" or built.added == row.added.removeprefix("-"), row.name


def test_every_curated_argument_is_in_the_table_as_it_was_written(arguments):
    """The committed table is not older than the hand-kept list of arguments."""
    for row in api.read(api.CURATED_ARGUMENTS, api.CuratedArgument):
        built = arguments[row.name, row.argument]
        for field in ("deprecated", "removed", "replacement", "fix", "note"):
            assert getattr(built, field) == getattr(row, field), row
        assert row.added == "" or built.added == row.added.removeprefix("-"), row


def test_private_names_come_from_the_curated_list_alone(names):
    """A private name says something only where a person wrote it."""
    curated = {row.name for row in api.read(api.CURATED_NAMES, api.CuratedName)}
    assert {name for name in names if api.private(name)} <= curated


@pytest.mark.parametrize("name", sorted(HISTORY))
def test_the_first_release_is_the_one_of_the_release_notes(names, name):
    """Names whose history is well known have the release that everybody knows."""
    assert nearest(names, name).added == HISTORY[name]


@pytest.mark.parametrize("name", OLD)
def test_an_old_name_is_not_called_new(names, name):
    """A name older than torch 1.13 has no first release, also where a parent has one."""
    row = nearest(names, name)
    assert row is None or row.added == ""


@pytest.mark.parametrize("group", [*GROUPS, "arguments"])
def test_torch_contradicts_no_row(contradictions, group):
    """The installed torch 2.13 agrees with every row of the group, in the way that the row says."""
    assert [found for found in contradictions if found[0] == group] == []
