"""First bytes that may be those of a model, and those that are not."""

from __future__ import annotations

import os

import pytest

from dlgovern.source.models import file_may_be_model, may_be_model


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"PK\3\4", True),
        (b"PK\5\6", False),
        *((b"\x80" + bytes((protocol,)) + b"}", protocol <= 5) for protocol in range(8)),
        (b"cposix\nsystem\n(S'echo'\ntR.", True),
        (b"I1\n0cposix\nsystem\n", True),
        (b"U\x28" + b"a" * 40 + b"0cposix", True),
        (b"(lp0\nI1\na.", True),
        (b"]q\0(K\1e.", True),
        (b"name of a file, and more", False),
        (b"(some words in brackets)", False),
        (b"Use of this is free, copy", False),
        (b"In the beginning\nwas", False),
        (b"\x1f\x8b\x08\0", True),
        (b"x\x9c\xed\xbd", True),
        (b"x^2 + y^2", True),
        (b"x = 1", False),
        (b"\x80\4\x95", True),
        (b"\x80\4\0", False),
        (b"\x93NUMPY", True),
        (b"GGUF", True),
        (b"\x40\0\0\0\0\0\0\0{\"w\"", True),
        (b"\x40\0\0\0\0\0\1\0{\"w\"", False),
        (b"\x08\x08\x12\x07pytorch:", True),
        (b"\x08\x08\x12\x07pyt\0rch:", False),
        (b"\x1c\0\0\0ET12", True),
        (b"{\"a\": 1}", False),
        (b"\x89PNG\r\n\x1a\n", False),
    ],
)
def test_the_first_bytes(head, expected):
    assert expected is may_be_model(head + b"\0" * 20)


def test_nothing_blocks_and_nothing_is_followed(tmp_path):
    (tmp_path / "real").write_bytes(b"GGUF" + b"\0" * 20)
    (tmp_path / "link").symlink_to("real")
    os.mkfifo(tmp_path / "pipe")
    names = ("real", "link", "pipe", ".", "absent", "with\0nul")
    assert [True] + [False] * 5 == [file_may_be_model(os.path.join(tmp_path, name)) for name in names]
