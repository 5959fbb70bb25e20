"""What the rules of the families 4 and 6 claim about torch, tried on the torch that is installed."""

from __future__ import annotations

import argparse
import contextlib
import pickle
import warnings
from typing import Any

import pytest

torch = pytest.importorskip("torch", minversion="2.13")


def test_the_shims_for_python_2_are_gone() -> None:
    with pytest.raises(ImportError):
        __import__("torch._six")


def test_a_solver_that_is_gone_raises_on_call() -> None:
    with pytest.raises(RuntimeError):
        torch.symeig(torch.eye(2))


def test_a_scheduler_refuses_verbose() -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    with pytest.raises(TypeError):
        torch.optim.lr_scheduler.StepLR(optimizer, 10, verbose=True)


def test_a_tensor_with_names_raises() -> None:
    with pytest.raises((RuntimeError, TypeError)):
        torch.zeros(2, names=("batch",))


@pytest.mark.parametrize("make", ["torch.cuda.amp.autocast()", "torch.cuda.amp.GradScaler()", "torch.cpu.amp.autocast()"])
def test_the_old_namespace_of_mixed_precision_warns(make: str) -> None:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        eval(make, {"torch": torch})  # noqa: S307 - the spelling is the claim
    assert any(issubclass(one.category, FutureWarning) and "deprecated" in str(one.message) for one in said)


def test_a_checkpoint_that_is_not_told_which_implementation_warns() -> None:
    from torch.utils.checkpoint import checkpoint

    x = torch.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match="use_reentrant"):
        checkpoint(torch.sin, x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        checkpoint(torch.sin, x, use_reentrant=False)



@pytest.mark.parametrize(("value", "refused"), [("1", False), ("true", False), ("0", True)])
def test_one_variable_turns_the_safe_loader_off(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, value: str, refused: bool
) -> None:
    path = tmp_path / "a.pt"
    torch.save(argparse.Namespace(a=1), path)
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch says that the variable is set
        with pytest.raises(pickle.UnpicklingError) if refused else contextlib.nullcontext():
            torch.load(path)


def test_the_old_launcher_is_documented_as_deprecated() -> None:
    launch = pytest.importorskip("torch.distributed.launch")
    assert "deprecated" in launch.__doc__
