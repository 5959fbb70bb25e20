"""Names that moved between the PyTorch versions we run."""
from torch import load as tload
from torch._six import string_classes

try:
    from torch.linalg import eigh
except ImportError:
    eigh = None

__all__ = ["eigh", "string_classes", "tload"]
