"""What the rules about exports say of torch is what torch does."""

import inspect
import pickle
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
