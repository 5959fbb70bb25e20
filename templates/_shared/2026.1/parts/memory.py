def memory_table(model: nn.Module, optimizer: torch.optim.Optimizer) -> list[str]:
    """What <% if strategy == "single" %>the device<% else %>one rank<% endif %> holds; activations are not counted."""
    parameters = list(model.parameters())
    states = [value for state in optimizer.state.values() for value in state.values() if torch.is_tensor(value)]
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    rows = []
    for name, tensors in (("parameters", parameters), ("gradients", gradients), ("optimizer", states)):
<% if strategy == "fsdp2" %>
        local = [tensor.to_local() if isinstance(tensor, DTensor) else tensor for tensor in tensors]
        whole, held = _bytes(tensors), _bytes(local)
        rows.append(f"{name:<12}{held:>14,} bytes of {whole:,}")
<% else %>
        rows.append(f"{name:<12}{_bytes(tensors):>14,} bytes")
<% endif %>
    return rows


def _bytes(tensors: Sequence[torch.Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
