"""Each file is, at every moment and after every crash, the old one or the new one, with everything it had."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from hashlib import sha256

import pytest

from dlgovern.fix import write as writing
from dlgovern.fix.write import PREFIX, Content, Interrupted, Written, sweep, write

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX files")


def content(path: str, before: bytes | None, data: bytes) -> Content:
    return Content(path, "" if before is None else sha256(before).hexdigest(), data)


def put(root, *contents: Content) -> list[Written]:
    return write(str(root), [contents])


@pytest.fixture
def root(tmp_path):
    (tmp_path / "root" / "x").mkdir(parents=True)
    (tmp_path / "root" / "a.py").write_bytes(b"old")
    (tmp_path / "root" / "x" / "b.py").write_bytes(b"old")
    return tmp_path / "root"


def everything(root) -> set[str]:
    return {os.path.relpath(os.path.join(folder, name), root) for folder, _, names in os.walk(root) for name in names}


def test_a_file_is_replaced_and_nothing_is_left_behind(root):
    assert put(root, content("a.py", b"old", b"new")) == [Written("a.py", "")]
    assert ((root / "a.py").read_bytes(), everything(root)) == (b"new", {"a.py", "x/b.py"})


def test_a_new_file_is_created_with_its_folder(root):
    assert put(root, content("y/z/c.py", None, b"new")) == [Written("y/z/c.py", "")]
    assert (root / "y/z/c.py").read_bytes() == b"new"


def test_a_file_that_changed_on_disk_is_skipped(root):
    (root / "a.py").write_bytes(b"own")
    assert put(root, content("a.py", b"old", b"new")) == [Written("a.py", "changed on disk")]
    assert (root / "a.py").read_bytes() == b"own"


def test_a_file_that_changes_while_the_new_one_is_prepared_is_skipped(root, monkeypatch):
    stage = writing._Staged.stage

    def meanwhile(self):
        stage(self)
        (root / "a.py").write_bytes(b"own")

    monkeypatch.setattr(writing._Staged, "stage", meanwhile)
    assert put(root, content("a.py", b"old", b"new")) == [Written("a.py", "changed on disk")]
    assert ((root / "a.py").read_bytes(), everything(root)) == (b"own", {"a.py", "x/b.py"})


def test_a_file_that_is_gone_or_there_already_is_skipped(root):
    assert put(root, content("c.py", b"old", b"new")) == [Written("c.py", "does not exist any more")]
    assert put(root, content("a.py", None, b"new")) == [Written("a.py", "exists already")]
    assert everything(root) == {"a.py", "x/b.py"}


def test_files_of_one_group_are_written_together_or_not_at_all(root):
    (root / "x/b.py").write_bytes(b"own")
    assert put(root, content("a.py", b"old", b"new"), content("x/b.py", b"old", b"new")) == [
        Written("a.py", "is left because x/b.py changed on disk"),
        Written("x/b.py", "changed on disk"),
    ]
    assert (root / "a.py").read_bytes() == b"old"


def test_a_group_that_cannot_be_written_does_not_stop_the_next(root):
    groups = [(content("none.py", b"old", b"new"),), (content("a.py", b"old", b"new"),)]
    assert write(str(root), groups) == [Written("none.py", "does not exist any more"), Written("a.py", "")]


@posix
@pytest.mark.parametrize("mode", [0o644, 0o755, 0o600, 0o664])
def test_the_mode_is_kept(root, mode):
    (root / "a.py").chmod(mode)
    put(root, content("a.py", b"old", b"new"))
    assert stat.S_IMODE((root / "a.py").stat().st_mode) == mode


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root may give files away")
def test_owner_and_group_are_kept(root):
    os.chown(root / "a.py", 12345, 12346)
    put(root, content("a.py", b"old", b"new"))
    status = (root / "a.py").stat()
    assert (status.st_uid, status.st_gid) == (12345, 12346)


@posix
def test_a_file_that_runs_with_the_rights_of_its_owner_is_refused(root):
    (root / "a.py").chmod(0o4755)
    assert put(root, content("a.py", b"old", b"new"))[0].why == "runs with the rights of its owner and is left to them"


@posix
def test_a_new_file_has_the_usual_mode(root):
    mask = os.umask(0o022)
    try:
        put(root, content("c.py", None, b"new"))
    finally:
        os.umask(mask)
    assert stat.S_IMODE((root / "c.py").stat().st_mode) == 0o644


@pytest.mark.skipif(sys.platform != "linux", reason="extended attributes as Linux has them")
def test_extended_attributes_are_kept(root):
    try:
        os.setxattr(root / "a.py", "user.note", b"kept")
    except OSError:
        pytest.skip("the file system has no extended attributes")
    put(root, content("a.py", b"old", b"new"))
    assert os.getxattr(root / "a.py", "user.note") == b"kept"


@posix
def test_a_file_with_hard_links_is_refused(root):
    os.link(root / "a.py", root / "c.py")
    assert put(root, content("a.py", b"old", b"new"))[0].why.startswith("has other names")
    assert (root / "c.py").read_bytes() == b"old"


@posix
def test_a_link_inside_is_kept_and_the_file_it_leads_to_is_written(root):
    (root / "c.py").symlink_to("x/b.py")
    assert put(root, content("c.py", b"old", b"new")) == [Written("c.py", "")]
    assert ((root / "c.py").is_symlink(), (root / "x/b.py").read_bytes()) == (True, b"new")


@posix
def test_a_way_out_of_the_tree_is_refused(root):
    (root.parent / "secret.py").write_bytes(b"old")
    (root / "c.py").symlink_to("../secret.py")
    (root / "y").symlink_to("..")
    for path in ("c.py", "y/secret.py"):
        assert put(root, content(path, b"old", b"new")) == [
            Written(path, "leads out of the project by a symbolic link")
        ]
    for path in ("../secret.py", str(root.parent / "secret.py"), "x//b.py", "x/../a.py"):
        assert put(root, content(path, b"old", b"new")) == [Written(path, "is no path inside the project")]
    assert put(root, content("y/new.py", None, b"new"))[0].why == "leads out of the project by a symbolic link"
    assert (root.parent / "secret.py").read_bytes() == b"old"


def test_the_folder_of_git_is_never_written(root):
    assert put(root, content(".git/hooks/pre-commit", None, b"new"))[0].why == "lies in git's own folder"


@posix
def test_what_is_no_regular_file_is_refused_without_waiting(root):
    os.mkfifo(root / "c.py")
    assert put(root, content("c.py", b"old", b"new"))[0].why == "is a named pipe, not a regular file"
    assert put(root, content("x", b"old", b"new"))[0].why == "is a directory"


def test_a_full_disk_leaves_the_old_file_and_nothing_else(root, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    assert put(root, content("a.py", b"old", b"new")) == [
        Written("a.py", "cannot be written (No space left on device)")
    ]
    assert ((root / "a.py").read_bytes(), everything(root)) == (b"old", {"a.py", "x/b.py"})


def test_an_interrupt_while_preparing_leaves_no_trace_and_tells_what_was_written(root, monkeypatch):
    def interrupt(descriptor):
        if not (root / "a.py").read_bytes() == b"old":
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    groups = [(content("a.py", b"old", b"new"),), (content("x/b.py", b"old", b"new"),)]
    with pytest.raises(KeyboardInterrupt):
        write(str(root), groups)
    assert (root / "x/b.py").read_bytes() == b"old"
    assert everything(root) == {"a.py", "x/b.py"}


@posix
def test_an_interrupt_while_replacing_waits_for_the_group_to_be_whole(root, monkeypatch):
    real = os.replace

    def replace(source, target):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(Interrupted) as caught:
        put(root, content("a.py", b"old", b"new"), content("x/b.py", b"old", b"new"))
    assert caught.value.written == [Written("a.py", ""), Written("x/b.py", "")]
    assert ((root / "a.py").read_bytes(), (root / "x/b.py").read_bytes()) == (b"new", b"new")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def dead_process() -> int:
    child = subprocess.Popen([sys.executable, "-S", "-c", ""])
    child.wait()
    return child.pid


@posix
def test_what_a_killed_run_left_is_removed_and_nothing_else(root):
    stray = f"{PREFIX}{dead_process()}-{'0' * 16}.tmp"
    living = f"{PREFIX}{os.getpid()}-{'0' * 16}.tmp"
    alike = [f"{PREFIX}x-{'0' * 16}.tmp", f"{PREFIX}{dead_process()}-{'0' * 15}.tmp", f"{stray}.py"]
    for name in (stray, living, *alike):
        (root / name).write_bytes(b"")
    (root / f"{PREFIX}{dead_process()}-{'1' * 16}.tmp").mkdir()
    put(root, content("a.py", b"old", b"new"))
    assert everything(root) == {"a.py", "x/b.py", living, *alike}


@posix
def test_an_old_temporary_file_is_removed_whatever_process_has_its_number(root):
    path = root / f"{PREFIX}{os.getpid()}-{'0' * 16}.tmp"
    path.write_bytes(b"")
    os.utime(path, (1, 1))
    sweep(str(root))
    assert not path.exists()


KILLED = """
import sys
from hashlib import sha256
from dlgovern.fix.write import Content, write
root, turn, size = sys.argv[1], 0, 400_000
texts = [letter * size for letter in (b"a", b"b")]
while True:
    before, after = texts[turn % 2], texts[(turn + 1) % 2]
    digest = sha256(before).hexdigest()
    done = write(root, [tuple(Content(name, digest, after) for name in ("one.py", "two.py"))])
    assert [one.why for one in done] == ["", ""], done
    if turn == 0:
        print("started", flush=True)
    turn += 1
"""


@posix
def test_a_killed_run_leaves_only_whole_files_and_the_next_one_cleans_up(tmp_path):
    texts = [letter * 400_000 for letter in (b"a", b"b")]
    source = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(writing.__file__))))
    environment = os.environ | {"PYTHONPATH": source}
    end = time.monotonic() + 10
    kills = strays = 0
    while kills < 30 and time.monotonic() < end:
        for name in ("one.py", "two.py"):
            (tmp_path / name).write_bytes(texts[0])
        command = [sys.executable, "-S", "-c", KILLED, str(tmp_path)]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as child:
            child.stdout.readline()
            time.sleep(0.0017 * (kills % 13))
            child.kill()
        kills += 1
        for name in ("one.py", "two.py"):
            assert (tmp_path / name).read_bytes() in texts
        strays += len(everything(tmp_path)) - 2
        whole = (tmp_path / "one.py").read_bytes()
        put(tmp_path, content("one.py", whole, whole))
        assert everything(tmp_path) == {"one.py", "two.py"}
    assert strays > 0 or kills < 30  # else no kill came in the middle, and nothing was shown
