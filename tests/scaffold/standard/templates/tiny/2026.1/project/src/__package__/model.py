"""The model: replace it by yours."""

from torch import nn


class Model(nn.Sequential):
    """One layer."""

    def __init__(self) -> None:
        super().__init__(nn.Linear(4, 4))
