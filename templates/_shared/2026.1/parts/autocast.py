def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """Around forward: matrix products in the low precision, reductions and the loss in float32."""
<% if precision == "fp16" %>
    low = torch.bfloat16 if precision == "bf16" else torch.float16
    return torch.autocast(device.type, low, enabled=precision != "fp32")
<% else %>
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
<% endif %>
