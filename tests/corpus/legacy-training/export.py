"""Export a trained model for the tile server (TorchScript, ONNX) and the tablets."""
import argparse

import numpy as np
import torch
import torch.onnx
from torch.utils.mobile_optimizer import optimize_for_mobile

from data.tiles import NUM_BANDS, NUM_CLASSES
from models import build_model
from utils.checkpoint import load_weights


def export_torchscript(model, sample, path):
    traced = torch.jit.trace(model, sample)
    traced.save(path)
    restored = torch.jit.load(path)
    with torch.no_grad():
        assert torch.allclose(restored(sample), traced(sample), atol=1e-5)


def export_mobile(model, sample, path):
    """Dynamic int8 for the linear layers, then the lite interpreter format."""
    model = torch.quantization.quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8)
    scripted = torch.jit.script(model)
    optimize_for_mobile(scripted)._save_for_lite_interpreter(path)


def export_onnx(model, sample, path, opset):
    torch.onnx.export(
        model,
        sample,
        path,
        opset_version=opset,
        do_constant_folding=True,
        input_names=["tiles"],
        output_names=["logits"],
        dynamic_axes={"tiles": {0: "batch", 2: "height", 3: "width"}, "logits": {0: "batch"}},
    )


def export_onnx_fixed(model, sample, path, opset):
    """Static shapes, for the TensorRT engine builder."""
    torch.onnx._export(model, sample, path, opset_version=opset, input_names=["tiles"], output_names=["logits"])


def check_onnx(model, sample, path, tolerance=1e-3):
    """Compare the exported graph with the eager model on one sample."""
    import onnx
    import onnxruntime

    onnx.checker.check_model(onnx.load(path))
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (got,) = session.run(None, {"tiles": sample.numpy()})
    with torch.no_grad():
        expected = model(sample).numpy()
    worst = np.abs(got - expected).max()
    if worst > tolerance:
        raise SystemExit(f"{path}: differs from the eager model by {worst:.2e}")
    print(f"{path}: ok, largest difference {worst:.2e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--encoder", default="resnet34")
    parser.add_argument("--format", default="onnx", choices=["onnx", "onnx-fixed", "torchscript", "mobile"])
    parser.add_argument("--output", required=True)
    parser.add_argument("--tile-size", type=int, default=512)
    parser.add_argument("--opset", type=int, default=11)
    args = parser.parse_args()

    model = build_model(args.encoder, NUM_CLASSES, pretrained=False)
    load_weights(args.checkpoint, model)
    sample = torch.randn(1, NUM_BANDS, args.tile_size, args.tile_size)

    if args.format == "torchscript":
        export_torchscript(model, sample, args.output)
    elif args.format == "mobile":
        export_mobile(model, sample, args.output)
    elif args.format == "onnx-fixed":
        export_onnx_fixed(model, sample, args.output, args.opset)
    else:
        export_onnx(model, sample, args.output, args.opset)
        model.eval()
        check_onnx(model, sample, args.output)


if __name__ == "__main__":
    main()
