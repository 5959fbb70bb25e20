"""What the training rules say about torch holds on the torch that is installed."""

import pytest

torch = pytest.importorskip("torch")


def _step():
    torch.manual_seed(0)
    model = torch.nn.Linear(4, 1)
    return model, torch.optim.SGD(model.parameters(), lr=0.1), torch.amp.GradScaler("cpu"), torch.ones(2, 4)


def test_a_clip_before_unscale_leaves_almost_nothing_of_the_gradient() -> None:  # DLG301
    model, optimizer, scaler, batch = _step()
    scaler.scale(model(batch).sum()).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    scaler.step(optimizer)
    assert model.weight.grad.norm() < 1e-4


def test_a_plain_step_moves_the_weights_by_the_loss_scale() -> None:  # DLG302
    model, optimizer, scaler, batch = _step()
    before = model.weight.detach().clone()
    scaler.scale(model(batch).sum()).backward()
    optimizer.step()
    assert (model.weight - before).norm() > 1e4


def test_a_second_unscale_before_update_raises() -> None:  # DLG302
    model, optimizer, scaler, batch = _step()
    scaler.scale(model(batch).sum()).backward()
    scaler.unscale_(optimizer)
    scaler.scale(model(batch).sum()).backward()
    with pytest.raises(RuntimeError, match="already been called"):
        scaler.unscale_(optimizer)


def test_a_second_step_without_update_raises() -> None:  # DLG302
    model, optimizer, scaler, batch = _step()
    scaler.scale(model(batch).sum()).backward()
    scaler.step(optimizer)
    scaler.scale(model(batch).sum()).backward()
    with pytest.raises(RuntimeError, match="already been called"):
        scaler.step(optimizer)


def test_zeroing_before_the_step_leaves_the_weights_where_they_are() -> None:  # DLG303
    model, optimizer, _, batch = _step()
    before = model.weight.detach().clone()
    model(batch).sum().backward()
    optimizer.zero_grad()
    optimizer.step()
    assert torch.equal(before, model.weight)


def test_gradients_add_up_when_nothing_zeroes_them() -> None:  # DLG303
    model, _, _, batch = _step()
    norms = []
    for _ in range(3):
        model(batch).sum().backward()
        norms.append(model.weight.grad.norm().item())
    assert norms == pytest.approx([norms[0], 2 * norms[0], 3 * norms[0]])


class _Net(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.BatchNorm1d(4), torch.nn.Dropout())

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return self.layers(batch)


def test_an_export_in_training_mode_keeps_dropout() -> None:  # DLG510
    program = torch.export.export(_Net(), (torch.ones(3, 4),))
    called = {str(node.target): node.args for node in program.graph.nodes if node.op == "call_function"}
    assert called["aten.dropout.default"][2] is True


@pytest.mark.filterwarnings("ignore")
def test_a_trace_in_training_mode_keeps_dropout_after_eval() -> None:  # DLG510
    traced = torch.jit.trace(_Net(), (torch.rand(64, 4),), check_trace=False)
    traced.eval()
    assert "aten::dropout" in {node.kind() for node in traced.inlined_graph.nodes()}


def test_the_older_onnx_exporter_switches_the_mode_itself() -> None:  # DLG510
    from torch.onnx.utils import select_model_mode_for_export

    net = _Net()
    with select_model_mode_for_export(net, torch.onnx.TrainingMode.EVAL):
        inside = net.training
    assert (inside, net.training) == (False, True)
