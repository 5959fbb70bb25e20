"""What the rules about exports say of torch is what torch does."""

import argparse
import collections
import datetime
import inspect
import os
import pathlib
import pickle
import subprocess
import sys
import warnings
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")

CASES_GONE = (
    "fallback",
    "example_outputs",
    "use_external_data_format",
    "enable_onnx_checker",
    "_retain_param_name",
    "aten",
    "strip_doc_string",
)
CASE_LITE = "_save_for_lite_interpreter"
CASES_DROPPED = (
    "training",
    "do_constant_folding",
    "operator_export_type",
    "custom_opsets",
    "export_modules_as_functions",
    "autograd_inlining",
)


@pytest.fixture
def module():
    return torch.nn.Linear(2, 2)


@pytest.fixture
def saved(module, tmp_path):
    torch.save(module, tmp_path / "whole.pt")
    return tmp_path / "whole.pt"


def test_the_default_load_refuses_a_whole_module(saved):
    with pytest.raises(pickle.UnpicklingError):
        torch.load(saved)


def test_the_default_load_takes_a_state_dict(module, tmp_path):
    torch.save(module.state_dict(), tmp_path / "state.pt")
    assert ["weight", "bias"] == list(torch.load(tmp_path / "state.pt"))


def test_weights_only_false_runs_the_pickle(saved):
    assert isinstance(torch.load(saved, weights_only=False), torch.nn.Linear)


def test_a_pickle_module_switches_the_safe_loader_off(saved):
    assert isinstance(torch.load(saved, pickle_module=pickle), torch.nn.Linear)


def test_a_pickle_module_by_position_does_too(saved):
    assert isinstance(torch.load(saved, None, pickle), torch.nn.Linear)


def test_a_pickle_module_of_none_is_the_safe_loader(saved):
    with pytest.raises(pickle.UnpicklingError):
        torch.load(saved, pickle_module=None)


def test_a_pickle_module_and_weights_only_do_not_go_together(saved):
    with pytest.raises(RuntimeError, match="pickle_module"):
        torch.load(saved, pickle_module=pickle, weights_only=True)


def test_weights_only_is_no_positional_argument(saved):
    with pytest.raises(TypeError):
        torch.load(saved, None, None, True)


def test_the_hub_still_unpickles_everything_by_default():
    found = inspect.signature(torch.hub.load_state_dict_from_url).parameters["weights_only"].default
    assert found is False


def test_the_model_zoo_is_the_hub():
    from torch.utils import model_zoo

    assert model_zoo.load_url is torch.hub.load_state_dict_from_url


@pytest.mark.parametrize("argument", CASES_GONE)
def test_the_exporter_refuses_arguments_that_are_gone(module, tmp_path, argument):
    with pytest.raises(TypeError, match=argument):
        torch.onnx.export(module, (torch.ones(1, 2),), tmp_path / "net.onnx", **{argument: True})


def test_the_exporter_refuses_a_fourth_positional_argument(module, tmp_path):
    with pytest.raises(TypeError, match="positional"):
        torch.onnx.export(module, (torch.ones(1, 2),), tmp_path / "net.onnx", True)


def test_the_private_exporter_is_gone():
    assert not hasattr(torch.onnx, "_export")


def test_the_default_exporter_is_the_dynamo_one():
    assert inspect.signature(torch.onnx.export).parameters["dynamo"].default is True


def test_the_old_exporter_refuses_dynamic_shapes(module, tmp_path):
    with pytest.raises(ValueError, match="dynamic_axes"):
        torch.onnx.export(
            module, (torch.ones(1, 2),), tmp_path / "net.onnx", dynamo=False, dynamic_shapes=({0: "n"},)
        )


@pytest.mark.parametrize("argument", CASES_DROPPED)
def test_the_dynamo_exporter_is_not_handed_these_arguments(module, monkeypatch, argument):
    from torch.onnx._internal import exporter  # its own parts need onnxscript, which torch does not bring

    handed = {}
    fake = SimpleNamespace(export_compat=lambda *_args, **keywords: handed.update(keywords))
    monkeypatch.setattr(exporter, "_compat", fake, raising=False)
    torch.onnx.export(module, (torch.ones(1, 2),), None, **{argument: object(), "dynamic_axes": {"x": {0: "n"}}})
    assert (False, True) == (argument in handed, "dynamic_axes" in handed)


@pytest.mark.parametrize("name", ["script", "trace"])
def test_torchscript_warns_that_it_is_deprecated(module, name):
    more = (torch.ones(1, 2),) if name == "trace" else ()
    with pytest.warns(DeprecationWarning):
        getattr(torch.jit, name)(module, *more)


def test_markers_of_torchscript_do_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        torch.jit.ignore(lambda x: x)
        torch.jit.is_scripting()


def test_the_lite_interpreter_is_deprecated(module, tmp_path):
    scripted = torch.jit.script(module)
    with pytest.warns(DeprecationWarning, match="Lite Interpreter"):
        getattr(scripted, CASE_LITE)(str(tmp_path / "net.ptl"))


def test_a_program_under_another_name_is_saved_all_the_same(module, tmp_path):
    program = torch.export.export(module, (torch.ones(1, 2),))
    torch.export.save(program, tmp_path / "net.pt")
    assert (tmp_path / "net.pt").exists()


CASES_REFUSED = (
    lambda: argparse.Namespace(lr=1),
    lambda: pathlib.Path("data"),
    lambda: collections.defaultdict(int),
    lambda: collections.deque([1]),
    lambda: datetime.datetime.now(tz=datetime.UTC),
    lambda: datetime.timedelta(1),
    lambda: torch.Generator(),
)
CASES_TAKEN = (
    lambda: vars(argparse.Namespace(lr=1)),
    lambda: collections.OrderedDict(a=1),
    lambda: torch.get_rng_state(),
    lambda: torch.float32,
)


@pytest.mark.parametrize("make", CASES_REFUSED)
def test_the_default_load_refuses_a_checkpoint_with_such_a_value(make, tmp_path):
    torch.save({"value": make()}, tmp_path / "state.pt")
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / "state.pt")


@pytest.mark.parametrize("name", ("array", "zeros", "mean", "median", "std", "float32", "float64"))
def test_the_default_load_refuses_numpy_values(name, tmp_path):
    numpy = pytest.importorskip("numpy")
    given = 2 if name == "zeros" else 1.0 if name.startswith("float") else [1.0, 2.0]
    torch.save({"value": getattr(numpy, name)(given)}, tmp_path / "state.pt")
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / "state.pt")


def test_the_default_load_refuses_the_random_state_of_numpy(tmp_path):
    numpy = pytest.importorskip("numpy")
    torch.save({"value": numpy.random.get_state()}, tmp_path / "state.pt")
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / "state.pt")


@pytest.mark.parametrize("make", CASES_TAKEN)
def test_the_default_load_takes_plain_values(make, tmp_path):
    torch.save({"value": make()}, tmp_path / "state.pt")
    assert ["value"] == list(torch.load(tmp_path / "state.pt"))


def test_the_old_file_format_cannot_be_memory_mapped(module, tmp_path):
    torch.save(module.state_dict(), tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    assert ["weight", "bias"] == list(torch.load(tmp_path / "old.pt"))
    with pytest.raises(RuntimeError, match="mmap"):
        torch.load(tmp_path / "old.pt", mmap=True)


@pytest.fixture
def program(module):
    return torch.export.export(module, (torch.ones(1, 2),))


def test_an_exported_program_cannot_be_called(program):
    with pytest.raises(RuntimeError, match="Unable to call ExportedProgram"):
        program(torch.ones(1, 2))


@pytest.mark.parametrize("mode", ("eval", "train"))
def test_the_module_of_an_exported_program_cannot_be_switched(program, mode):
    with pytest.raises(NotImplementedError):
        getattr(program.module(), mode)()


def test_run_decompositions_returns_a_new_program(program):
    assert program.run_decompositions() is not program


def test_a_compiled_model_saves_other_names_unless_it_is_compiled_in_place(module):
    assert ["_orig_mod.weight", "_orig_mod.bias"] == list(torch.compile(module).state_dict())
    with pytest.raises(RuntimeError, match="Missing key"):
        torch.nn.Linear(2, 2).load_state_dict(torch.compile(module).state_dict())
    module.compile()
    assert ["weight", "bias"] == list(module.state_dict())


def test_fsdp1_asks_for_an_accelerator_unless_it_is_told_to_use_the_cpu(module, tmp_path):
    if torch.accelerator.is_available():
        pytest.skip("this machine has an accelerator")
    from torch.distributed.fsdp import FullyShardedDataParallel

    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    try:
        with pytest.raises(RuntimeError, match="non-CPU accelerator"):
            FullyShardedDataParallel(module)
        assert (1, 2) == FullyShardedDataParallel(module, device_id=torch.device("cpu"))(torch.ones(1, 2)).shape
    finally:
        torch.distributed.destroy_process_group()


def test_the_old_exporter_knows_no_opset_above_23(module, tmp_path):
    pytest.importorskip("onnx")
    torch.onnx.export(module, (torch.ones(1, 2),), tmp_path / "a.onnx", dynamo=False, opset_version=23)
    with pytest.raises(Exception, match="Unsupported onnx_opset_version"):
        torch.onnx.export(module, (torch.ones(1, 2),), tmp_path / "b.onnx", dynamo=False, opset_version=24)


def test_the_new_exporter_keeps_opset_18_where_it_cannot_convert(module, tmp_path):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    torch.onnx.export(module.eval(), (torch.ones(1, 2),), tmp_path / "a.onnx", dynamo=True, opset_version=9, verbose=False)
    assert [18] == [one.version for one in onnx.load(tmp_path / "a.onnx", load_external_data=False).opset_import if not one.domain]


def test_to_onnx_a_batch_of_one_stays_dynamic(tmp_path):
    """Why DLG516 is about torch.export alone."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    path = tmp_path / "net.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            torch.nn.Linear(2, 2).eval(), (torch.ones(1, 2),), path, dynamo=True, dynamic_shapes=({0: torch.export.Dim("n")},), verbose=False
        )
    assert "n" == onnx.load(path).graph.input[0].type.tensor_type.shape.dim[0].dim_param


@pytest.mark.parametrize("hint", (torch.export.Dim("batch"), torch.export.Dim.DYNAMIC))
def test_a_dynamic_dimension_of_size_one_cannot_be_exported(module, hint):
    with pytest.raises(Exception, match=r"specialized|Constraints violated|conflicts between user-specified"):
        torch.export.export(module, (torch.ones(1, 2),), dynamic_shapes={"input": {0: hint}})


def test_an_automatic_dimension_of_size_one_is_fixed_without_an_error(module):
    one = torch.export.export(module, (torch.ones(1, 2),), dynamic_shapes={"input": {0: torch.export.Dim.AUTO}})
    two = torch.export.export(module, (torch.ones(2, 2),), dynamic_shapes={"input": {0: torch.export.Dim.AUTO}})
    assert (3, 2) == two.module()(torch.ones(3, 2)).shape
    with pytest.raises(AssertionError, match="Guard failed"):
        one.module()(torch.ones(3, 2))


@pytest.mark.parametrize("size", [1, 2])
def test_without_dynamic_shapes_every_size_is_fixed(module, size):
    program = torch.export.export(module, (torch.ones(size, 2),)).module()
    with pytest.raises(AssertionError, match="Guard failed"):
        program(torch.ones(8, 2))
    x = torch.ones(2, 2)
    torch._dynamo.mark_dynamic(x, 0)
    assert (8, 2) == torch.export.export(module, (x,)).module()(torch.ones(8, 2)).shape


def test_a_wrapper_puts_a_prefix_before_every_name(module):
    state = torch.nn.DataParallel(module).state_dict()
    bare = torch.nn.Linear(2, 2)
    before = bare.weight.clone()
    assert ["module.weight", "module.bias"] == list(state)
    with pytest.raises(RuntimeError, match="Missing key"):
        bare.load_state_dict(state)
    bare.load_state_dict(state, strict=False)
    assert torch.equal(before, bare.weight)


def test_an_onnx_file_is_useless_without_its_data(tmp_path):
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    net = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.BatchNorm1d(64)).eval()
    torch.onnx.export(net, (torch.ones(1, 64),), tmp_path / "net.onnx", dynamo=True, verbose=False)
    assert ["net.onnx", "net.onnx.data"] == sorted(path.name for path in tmp_path.iterdir())
    runtime.InferenceSession(tmp_path / "net.onnx")
    (tmp_path / "net.onnx.data").unlink()
    with pytest.raises(Exception, match="xternal data"):
        runtime.InferenceSession(tmp_path / "net.onnx")


def test_int4_skips_a_layer_that_the_group_does_not_divide():
    quantization = pytest.importorskip("torchao.quantization")
    net = torch.nn.Sequential(torch.nn.Linear(200, 8)).to(torch.bfloat16)
    quantization.quantize_(net, quantization.Int4WeightOnlyConfig())
    assert (type(net[0].weight) is torch.nn.Parameter, torch.bfloat16) == (True, net[0].weight.dtype)
    assert type(net[0].weight.data) is torch.Tensor


TF32 = """
import os, torch
for new, value, read in {cases}:
    child = os.fork()
    if child == 0:
        exec(f"torch.backends.{{new}} = {{value!r}}")
        try:
            exec(read)
        except RuntimeError as error:
            os._exit(7 if "legacy and new APIs" in str(error) else 1)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
READS = ("torch.backends.cuda.matmul.allow_tf32", "torch.get_float32_matmul_precision()")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the switches belong to a process; forking saves five imports of torch")
def test_the_old_switch_of_tf32_cannot_be_read_after_the_new_one_was_set_to_another_value():
    mixed = [(new, "tf32", read) for new in ("fp32_precision", "cuda.matmul.fp32_precision") for read in READS]
    cases = [*mixed, ("fp32_precision", "ieee", READS[0])]
    command = [sys.executable, "-W", "ignore", "-c", TF32.format(cases=cases)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert ["7", "7", "7", "7", "0"] == said


def test_deterministic_algorithms_leave_the_benchmark_on():
    before = torch.backends.cudnn.benchmark
    try:
        torch.backends.cudnn.benchmark = True
        torch.use_deterministic_algorithms(True)
        assert torch.backends.cudnn.benchmark
    finally:
        torch.use_deterministic_algorithms(False)
        torch.backends.cudnn.benchmark = before


def test_export_bakes_in_dropout_and_batch_norm():
    net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout(0.5), torch.nn.BatchNorm1d(2))
    trained = torch.export.export(net.train(), (torch.ones(4, 2),)).run_decompositions().graph_module.code
    served = torch.export.export(net.eval(), (torch.ones(4, 2),)).run_decompositions().graph_module.code
    assert any(word in trained for word in ("dropout", "bernoulli", "rand"))
    assert not any(word in served for word in ("dropout", "bernoulli", "rand"))


def _rates(scheduler, steps, state=None):
    """The learning rates of a run; ``state``: how a run was left, whose optimizer alone is restored."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 1.0)
    made = scheduler(optimizer)
    if state is not None:
        optimizer.load_state_dict(state)
    found = []
    for _ in range(steps):
        found.append(round(optimizer.param_groups[0]["lr"], 6))
        optimizer.step()
        made.step()
    return found, optimizer.state_dict()


@pytest.mark.parametrize(
    ("name", "arguments", "goes_on"),
    [
        ("LambdaLR", ((lambda step: 1 / (1 + step)),), False),
        ("StepLR", (3,), False),
        ("MultiStepLR", ([3, 6],), False),
        ("ConstantLR", (0.5, 6), False),
        ("LinearLR", (0.1, 1.0, 8), False),
        ("PolynomialLR", (8,), False),
        ("CosineAnnealingLR", (8,), False),
        ("CosineAnnealingWarmRestarts", (8,), False),
        ("CyclicLR", (0.1, 1.0, 4), False),
        ("OneCycleLR", (1.0, 20), False),
        ("ExponentialLR", (0.5,), True),
    ],
)
def test_a_new_scheduler_begins_its_schedule_again(name, arguments, goes_on):
    def make(optimizer):
        return getattr(torch.optim.lr_scheduler, name)(optimizer, *arguments)

    whole, _ = _rates(make, 8)
    _, left = _rates(make, 4)
    assert goes_on is (whole[4:] == _rates(make, 4, left)[0])


def test_a_new_gradient_scaler_begins_at_its_first_scale():
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0, growth_interval=1)
    weight = torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([weight], 0.1)
    scaler.scale(weight.sum()).backward()
    scaler.step(optimizer)
    scaler.update()
    fresh = torch.amp.GradScaler("cpu", init_scale=8.0)
    assert (16.0, 8.0) == (scaler.get_scale(), fresh.get_scale())
    fresh.load_state_dict(scaler.state_dict())
    assert 16.0 == fresh.get_scale()
