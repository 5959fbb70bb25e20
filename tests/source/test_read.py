"""Reading gives the bytes of a regular file, or says why not; it never waits and never follows."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from dlgovern.source.read import Unreadable, read

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX kinds of file")


def why(path: object, limit: int = 100) -> str:
    with pytest.raises(Unreadable) as caught:
        read(str(path), limit)
    return caught.value.why


def test_a_regular_file_gives_its_bytes_untouched(tmp_path):
    (tmp_path / "a.py").write_bytes(b"\xef\xbb\xbfx = 1\r\n\xff")
    assert read(str(tmp_path / "a.py")) == b"\xef\xbb\xbfx = 1\r\n\xff"


def test_an_empty_file_gives_no_bytes(tmp_path):
    (tmp_path / "a.py").touch()
    assert read(str(tmp_path / "a.py")) == b""


def test_a_file_of_exactly_the_limit_is_read(tmp_path):
    (tmp_path / "a.py").write_bytes(b"x" * 100)
    assert read(str(tmp_path / "a.py"), 100) == b"x" * 100


def test_a_file_one_byte_over_the_limit_is_refused(tmp_path):
    (tmp_path / "a.py").write_bytes(b"x" * 1_001)
    assert why(tmp_path / "a.py", 1_000) == "is larger than 1,000 bytes"


@posix
def test_a_named_pipe_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "a.py")
    assert why(tmp_path / "a.py") == "is a named pipe, not a regular file"


@posix
def test_a_socket_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("a.py")
        assert why("a.py") == "is a socket, not a regular file"


@posix
def test_an_endless_device_is_refused():
    assert why("/dev/zero") == "is a device, not a regular file"


@posix
def test_a_link_is_refused_even_to_a_good_file(tmp_path):
    (tmp_path / "good.py").write_bytes(b"x")
    (tmp_path / "a.py").symlink_to("good.py")
    assert why(tmp_path / "a.py") == "is a symbolic link"


def test_a_directory_is_refused(tmp_path):
    assert why(tmp_path) == "is a directory"


def test_a_missing_file_is_named_missing(tmp_path):
    assert why(tmp_path / "a.py") == "does not exist"


def test_a_name_with_a_nul_is_refused():
    assert why("a\0.py") == "has a name that the file system cannot hold"


@posix
def test_a_file_swapped_for_another_between_look_and_open_is_refused(tmp_path, monkeypatch):
    (tmp_path / "a.py").write_bytes(b"x")
    (tmp_path / "b.py").write_bytes(b"y")
    real_open = os.open
    monkeypatch.setattr(os, "open", lambda path, flags: real_open(path.replace("a.py", "b.py"), flags))
    assert why(tmp_path / "a.py") == "was replaced while it was being opened"


@posix
def test_no_descriptor_stays_open_after_a_refusal(tmp_path):
    (tmp_path / "a.py").write_bytes(b"x" * 200)
    before = os.listdir("/dev/fd")
    why(tmp_path / "a.py")
    assert os.listdir("/dev/fd") == before


@posix
def test_a_name_that_is_not_utf8_is_read(tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.py")
    try:
        with open(path, "wb") as file:
            file.write(b"x")
    except OSError:
        pytest.skip("the file system wants UTF-8 names")
    assert read(path) == b"x"
