"""Commands in the cells of notebooks."""

from __future__ import annotations

import json

import pytest

from dlgovern.evidence import registry


def notebook(*cells: list[str]) -> bytes:
    made = [{"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": cell} for cell in cells]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made}, indent=1).encode()


def said(data: bytes) -> list[tuple[str, str]]:
    """The words of each command, and what stands in the file where its last word is."""
    lines = data.decode().split("\n")
    found = []
    for command in registry.reader("notebook")("a.ipynb", data).commands:
        last = command.words[-1]
        found.append((" ".join(word.text for word in command.words), lines[last.line - 1][last.column - 1 : last.end_column - 1]))
    return found


@pytest.mark.parametrize(
    ("cell", "command", "last"),
    [
        (["!pip install torch"], "pip install torch", "torch"),
        (["import torch\n", "  !pip install -q numpy\n"], "pip install -q numpy", "numpy"),
        (["%pip install torch\n"], "pip install torch", "torch"),
        (["%%bash\n", "pip install torch\n"], "pip install torch", "torch"),
        (["x = !pip list"], "pip list", "list"),
    ],
)
def test_a_cell_gives_a_command(cell: list[str], command: str, last: str) -> None:
    assert [(command, last)] == said(notebook(cell))


@pytest.mark.parametrize("cell", [["print('!pip install torch')"], ["# !pip install torch"], ['"""\n', "!pip install torch\n", '"""']])
def test_text_is_no_command(cell: list[str]) -> None:
    assert [] == said(notebook(cell))


def test_what_is_no_notebook_says_nothing() -> None:
    assert [] == said(b'{"cells": "!"}')
