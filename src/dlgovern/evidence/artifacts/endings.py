"""Which endings model files have, and what a file with each of them is expected to be."""

from __future__ import annotations

EXPECTED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys((".pt", ".pth", ".ckpt", ".bin"), ()),
    **dict.fromkeys((".pkl", ".pickle", ".p", ".dill"), ()),
    ".joblib": (),
    ".ptl": (),
    ".pt2": ("pt2",),
    ".pte": ("executorch",),
    ".safetensors": ("safetensors",),
    ".onnx": ("onnx",),
    ".gguf": ("gguf",),
    ".keras": ("keras",),
    ".h5": ("hdf5",),
    ".hdf5": ("hdf5",),
    ".npy": ("npy",),
    ".npz": ("npz",),
    ".tflite": ("tflite",),
    ".engine": (),
    ".plan": (),
    ".trt": (),
    ".mar": (),
    ".nemo": (),
}
"""Ending -> the formats that its loaders accept; none means that the name promises nothing."""


def ending(path: str) -> str:
    """The ending of a model file, lower-cased, "" for any other file."""
    dot = path.lower().rfind(".")
    found = path.lower()[dot:] if dot > path.rfind("/") else ""
    return found if found in EXPECTED else ""


def expected(path: str) -> tuple[str, ...]:
    """The formats that a file of this name may have; none where any will do."""
    return EXPECTED.get(ending(path), ())
