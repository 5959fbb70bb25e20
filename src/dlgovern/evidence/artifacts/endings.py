"""Which endings model files have, and what a file with each of them is expected to be."""

from __future__ import annotations

_TORCH = ("torch-zip", "torch-legacy", "torch-tar", "torchscript", "pickle", "pt2", "unknown")
_PICKLES = ("pickle", "gzip pickle", "bzip2 pickle", "xz pickle", "lzma pickle", "zlib pickle", "torch-zip", "torch-legacy", "unknown")

EXPECTED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys((".pt", ".pth", ".ckpt", ".bin", ".ptl"), _TORCH),
    **dict.fromkeys((".pkl", ".pickle", ".p", ".dill", ".joblib"), _PICKLES),
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
"""Ending -> the formats that its loaders read as what they are; none means that the name promises nothing.

A loader that gets another format may find a second file in it: a header of safetensors can be a pickle or a tar too.
"""


def ending(path: str) -> str:
    """The ending of a model file, lower-cased, "" for any other file."""
    dot = path.lower().rfind(".")
    found = path.lower()[dot:] if dot > path.rfind("/") else ""
    return found if found in EXPECTED else ""


def expected(path: str) -> tuple[str, ...]:
    """The formats that a file of this name may have; none where any will do."""
    return EXPECTED.get(ending(path), ())
