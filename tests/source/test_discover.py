"""The arguments name files; each is found once, in order, none outside the root, with and without git."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from dlgovern.errors import UsageError
from dlgovern.source import git
from dlgovern.source.discover import discover

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX kinds of file")


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Write files by name; the working folder is their root."""
    root = tmp_path / "root"
    root.mkdir()
    monkeypatch.chdir(root)

    def write(*names: str):
        for name in names:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x = 1\n")
        return root

    return write


def run_git(*arguments: str) -> None:
    identity = ("-c", "user.name=n", "-c", "user.email=e@e")
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, env=git.environment())


def found(root, *arguments: str, **options) -> tuple[str, ...]:
    result = discover(str(root), arguments or (".",), **options)
    assert (result.problems, result.notes) == ((), ())
    return result.files


def problems(root, *arguments: str, **options) -> dict[str, str]:
    return dict(discover(str(root), arguments or (".",), **options).problems)


@pytest.fixture(params=["git", "walk"])
def repository(request, tree):
    """As tree, once in a git repository and once without."""
    if request.param == "git":
        run_git("init", "-q", ".")
    return tree


def test_files_are_found_sorted_and_relative_to_the_root(repository):
    root = repository("b.py", "a/z.py", "a/b/c.ipynb", "pyproject.toml", "a.py")
    assert found(root) == ("a.py", "a/b/c.ipynb", "a/z.py", "b.py", "pyproject.toml")


def test_what_cannot_be_of_a_kind_is_left_out_below_a_folder(repository):
    assert found(repository("a.py", "cat.png", "data.json", "run")) == ("a.py", "run")


def test_the_usual_folders_are_left_out(repository):
    root = repository("a.py", ".venv/b.py", "x/node_modules/c.py", "__pycache__/d.py", "build/e.py", "dist/g.py", "builder/f.py", "x/dist/h.py")
    assert found(root) == ("a.py", "builder/f.py", "x/dist/h.py")


def test_a_folder_that_is_left_out_at_the_root_is_taken_where_it_is_named(repository):
    root = repository("a.py", "dist/b.py", "dist/dist/c.py")
    assert found(root, str(root / "dist")) == ("dist/b.py", "dist/dist/c.py")


def test_own_patterns_replace_the_usual_ones_but_never_let_git_in(repository):
    root = repository("a.py", "build/b.py", "gen/c.py", "x.git/d.py", "x/.hg/e.py")
    assert found(root, exclude=["gen"]) == ("a.py", "build/b.py", "x.git/d.py")


def test_further_patterns_are_added_to_the_usual_ones(repository):
    root = repository("a.py", "build/b.py", "x/gen_c.py", "x/c.py", "y/z/d.py")
    assert found(root, extend_exclude=["gen_*.py", "y/**"]) == ("a.py", "x/c.py")


def test_a_package_that_is_called_like_what_is_built_is_source(repository):
    root = repository("dist/__init__.py", "dist/utils.py", "kit/dist/utils.py", "build/lib/a.py")
    expected = ("dist/__init__.py", "dist/utils.py", "kit/dist/utils.py")
    assert (expected, expected[2:], ()) == (found(root), found(root, extend_exclude=("/dist",)), found(root, extend_exclude=("dist",)))


def test_a_folder_is_searched_alone(repository):
    root = repository("a.py", "x/b.py", "xy/c.py")
    assert found(root, "x") == ("x/b.py",)


def test_overlapping_arguments_give_each_file_once(repository):
    root = repository("a.py", "x/b.py", "x/y/c.py")
    assert found(root, "x/y", "x", "./x/b.py", "x/../a.py", "a.py") == ("a.py", "x/b.py", "x/y/c.py")


def test_arguments_count_from_the_working_folder(repository, monkeypatch):
    root = repository("a.py", "x/b.py")
    monkeypatch.chdir(root / "x")
    assert found(root, "b.py", "../a.py") == ("a.py", "x/b.py")
    assert found(root, ".") == ("x/b.py",)


def test_a_named_file_is_taken_whatever_excludes_and_kinds_say(repository):
    root = repository("build/a.py", "notes.md")
    assert found(root, "build/a.py", "notes.md") == ("build/a.py", "notes.md")


def test_a_named_file_is_left_out_by_force(repository):
    root = repository("build/a.py", "b.py", "gen/c.py")
    assert found(root, "build/a.py", "b.py", "gen", extend_exclude=["gen"], force_exclude=True) == ("b.py",)


def test_a_named_folder_is_searched_although_excluded_but_not_what_is_excluded_in_it(repository):
    root = repository("build/a.py", "build/.venv/b.py", "build/c_gen.py")
    assert found(root, "build", extend_exclude=["*_gen.py"]) == ("build/a.py",)


def test_a_folder_named_beside_the_one_that_holds_it_is_searched_although_excluded(repository):
    root = repository("a.py", "build/b.py", "dist/c.py")
    assert found(root, ".", "build") == ("a.py", "build/b.py")


@posix
def test_a_folder_whose_name_is_magic_to_git_is_only_a_folder(repository):
    root = repository("a.py", ":(top)/b.py")
    assert found(root, "./:(top)") == (":(top)/b.py",)


def test_a_file_that_does_not_exist_is_a_mistake_of_usage(tree):
    with pytest.raises(UsageError) as caught:
        discover(str(tree("a.py")), ["a.py", "no.py", "a.py/b.py", "none"])
    assert caught.value.what == "no such file or folder: a.py/b.py, no.py, none"


def test_a_place_outside_the_root_is_a_mistake_of_usage(tree):
    root = tree("a.py")
    (root.parent / "root2").mkdir()
    with pytest.raises(UsageError):
        discover(str(root), ["../root2"])


def test_a_name_with_a_nul_is_a_mistake_of_usage(tree):
    with pytest.raises(UsageError):
        discover(str(tree("a.py")), ["a\0.py"])


@posix
def test_a_root_reached_through_a_link_is_the_same_root(tree):
    root = tree("a.py")
    (root.parent / "link").symlink_to("root")
    assert found(root.parent / "link", "a.py", str(root.parent / "link" / "a.py")) == ("a.py",)


@posix
def test_a_link_from_outside_that_is_named_leads_to_the_project(tree):
    root = tree("a.py", "x/b.py")
    (root.parent / "link").symlink_to("root")
    (root.parent / "deep").symlink_to("root/x")
    (root.parent / "away").symlink_to("..")
    assert ("a.py", "x/b.py") == found(root, str(root.parent / "link"))
    assert ("x/b.py",) == found(root, str(root.parent / "deep"))
    with pytest.raises(UsageError):
        found(root, str(root.parent / "away"))


@posix
def test_a_pipe_with_a_name_of_ours_is_a_problem(repository):
    root = repository("b.py")
    os.mkfifo(root / "a.py")
    os.mkfifo(root / "pipe")
    # git does not list pipes at all, so only one that is named is known there
    assert problems(root, "a.py") == {"a.py": "is a named pipe, not a regular file"}


@posix
def test_a_pipe_met_on_a_walk_is_a_problem(tree):
    root = tree("b.py")
    os.mkfifo(root / "a.py")
    os.mkfifo(root / "pipe")
    assert problems(root) == {"a.py": "is a named pipe, not a regular file"}


@posix
def test_a_link_to_a_file_inside_is_judged_once_as_that_file(repository):
    root = repository("x/real.py")
    (root / "a.py").symlink_to("x/real.py")
    (root / "b.py").symlink_to("a.py")
    assert found(root) == ("x/real.py",)
    assert found(root, "a.py") == ("x/real.py",)


@posix
def test_a_link_brings_in_a_file_that_is_excluded_by_its_own_name(repository):
    root = repository("build/real.py")
    (root / "a.py").symlink_to("build/real.py")
    assert found(root) == ("build/real.py",)


@posix
def test_a_link_to_a_file_outside_is_a_problem(repository):
    root = repository("b.py")
    (root.parent / "secret.py").write_bytes(b"")
    (root / "a.py").symlink_to("../secret.py")
    expected = {"a.py": "is a symbolic link to something outside the project"}
    assert problems(root) == expected
    assert problems(root, "a.py") == expected


@posix
def test_a_link_to_a_sibling_whose_name_begins_like_the_root_is_outside(repository):
    root = repository("b.py")
    (root.parent / "root2").mkdir()
    (root.parent / "root2" / "a.py").write_bytes(b"")
    (root / "a.py").symlink_to("../root2/a.py")
    assert problems(root) == {"a.py": "is a symbolic link to something outside the project"}


@posix
def test_a_link_that_gives_a_python_name_to_something_else_is_a_problem(repository):
    root = repository("weights.bin")
    (root / "a.py").symlink_to("weights.bin")
    assert problems(root) == {"a.py": "is a symbolic link to weights.bin, which by its own name is something else"}


@posix
def test_a_link_out_of_the_tree_whose_name_is_not_ours_is_no_problem(repository):
    root = repository("b.py")
    (root / "data").symlink_to("/dev/zero")
    (root / "cat.png").symlink_to("/dev/zero")
    assert found(root) == ("b.py",)


@posix
def test_a_link_to_nothing_counts_only_when_named(repository):
    root = repository("b.py")
    (root / ".#b.py").symlink_to("somebody@host.1234:5678")
    (root / "loop.py").symlink_to("loop.py")
    assert "b.py" in discover(str(root)).files
    assert ".#b.py" not in problems(root)
    assert problems(root, ".#b.py") == {".#b.py": "is a symbolic link to nothing"}


@posix
def test_a_link_to_a_folder_is_not_followed(repository):
    root = repository("x/a.py")
    (root / "x" / "again").symlink_to("..")
    (root / "y").symlink_to("x")
    assert found(root) == ("x/a.py",)


@posix
def test_a_named_link_to_a_folder_inside_stands_for_that_folder(repository):
    root = repository("x/a.py")
    (root / "y").symlink_to("x")
    assert found(root, "y") == ("x/a.py",)
    assert found(root, "y/a.py") == ("x/a.py",)


@posix
def test_a_named_link_to_a_folder_outside_is_a_problem(repository):
    root = repository("x/a.py")
    (root.parent / "other").mkdir()
    (root / "y").symlink_to("../other")
    assert problems(root, "y") == {"y": "is a symbolic link to a folder outside the project"}


@posix
def test_odd_names_are_kept_as_they_are(repository):
    names = ["a b.py", "new\nline.py", "ünï.py", "-x.py", ":(glob)*.py", "esc\x1b.py"]
    root = repository(*names)
    assert found(root) == tuple(sorted(names))
    assert found(root, "./-x.py", "new\nline.py", ":(glob)*.py") == tuple(
        sorted(["-x.py", "new\nline.py", ":(glob)*.py"])
    )


@posix
def test_a_name_that_is_not_utf8_is_surrogate_escaped(repository):
    root = repository("a.py")
    try:
        (root / "\udcff.py").write_bytes(b"")
    except OSError:
        pytest.skip("the file system wants UTF-8 names")
    assert found(root) == ("a.py", "\udcff.py")


def test_ignored_files_are_left_out_and_named_ones_are_not(tree):
    run_git("init", "-q", ".")
    root = tree("a.py", "out/b.py", "tracked/c.py")
    (root / ".gitignore").write_text("out/\ntracked/\n")
    run_git("add", "-f", "tracked/c.py")
    assert found(root) == (".gitignore", "a.py", "tracked/c.py")
    assert found(root, "out/b.py") == ("out/b.py",)
    assert found(root, "out") == ("out/b.py",)
    assert found(root, respect_gitignore=False) == (".gitignore", "a.py", "out/b.py", "tracked/c.py")


def test_a_file_that_is_tracked_but_deleted_is_not_there(tree):
    run_git("init", "-q", ".")
    root = tree("a.py", "b.py", "x/c.py")
    run_git("add", ".")
    (root / "b.py").unlink()
    (root / "x" / "c.py").unlink()
    (root / "x").rmdir()
    (root / "x").write_text("now a file")
    assert found(root) == ("a.py", "x")


def test_repositories_in_the_repository_are_searched_like_folders(tree):
    run_git("init", "-q", ".")
    root = tree("a.py", "sub.x/b.py", "own/c.py")
    for name in ("sub.x", "own"):
        run_git("init", "-q", name)
        run_git("-C", name, "add", ".")
        run_git("-C", name, "commit", "-qm", "x")
    (root / ".gitmodules").touch()
    run_git("add", "sub.x")
    assert found(root) == (".gitmodules", "a.py", "own/c.py", "sub.x/b.py")


def test_a_folder_below_the_top_of_the_repository_is_a_root_too(tree):
    run_git("init", "-q", ".")
    root = tree("a.py", "x/b.py", "x/out/c.py")
    (root / ".gitignore").write_text("out/\n")
    assert found(root / "x", "x") == ("b.py",)


def test_named_files_never_start_git(tree, monkeypatch):
    run_git("init", "-q", ".")
    monkeypatch.setattr(git, "listed", lambda *_: pytest.fail("git was asked"))
    assert found(tree("a.py"), "a.py") == ("a.py",)


def test_a_tree_without_git_does_not_start_it(tree, monkeypatch):
    monkeypatch.setattr(git, "find", lambda _: pytest.fail("git was looked for"))
    assert found(tree("a.py")) == ("a.py",)


def test_without_a_git_program_everything_is_searched_and_that_is_said(tree, monkeypatch):
    root = tree("a.py", "out/b.py")
    run_git("init", "-q", ".")
    (root / ".gitignore").write_text("out\n")
    monkeypatch.setenv("PATH", "relative/bin")
    result = discover(str(root))
    assert result.files == (".gitignore", "a.py", "out/b.py")
    assert result.notes == ("git is not installed; .gitignore is not respected",)


def test_a_git_that_refuses_is_heard_and_replaced(tree):
    root = tree("a.py")
    (root / ".git").write_text("gitdir: nowhere\n")
    result = discover(str(root))
    assert result.files == ("a.py",)
    assert result.notes[0].startswith("git refused: ")


@posix
def test_nothing_that_the_tree_configures_for_git_is_run(tree):
    run_git("init", "-q", ".")
    root = tree("a.py")
    (root / "evil").write_text("#!/bin/sh\ntouch was_run\n")
    (root / "evil").chmod(0o755)
    hooks = root / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    evil = str(root / "evil")
    for hook in ("post-index-change", "fsmonitor-watchman"):
        (hooks / hook).write_text(f"#!/bin/sh\n{evil}\n")
        (hooks / hook).chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "core.sshCommand", "filter.x.clean", "diff.external", "core.editor"):
        run_git("config", key, evil)
    (root / ".gitattributes").write_text("*.py filter=x\n")
    assert "a.py" in found(root)
    assert not (root / "was_run").exists()


@posix
def test_a_bare_repository_planted_in_the_tree_is_not_obeyed(tree):
    run_git("init", "-q", ".")
    root = tree("plant/a.py")
    run_git("init", "-q", "--bare", "plant")
    evil = str(root.parent / "was_run")
    for key, value in (("fsmonitor", f"touch {evil}; false"), ("bare", "false"), ("worktree", "..")):
        run_git("--git-dir", "plant", "config", f"core.{key}", value)
    result = discover(str(root / "plant"), ["plant"])
    assert "a.py" in result.files
    assert result.notes[0].startswith("git refused: fatal: cannot use bare repository")
    assert not os.path.exists(evil)


@posix
def test_a_git_program_in_the_tree_is_not_run(tree, monkeypatch):
    root = tree("a.py")
    run_git("init", "-q", ".")
    (root / "git").write_text("#!/bin/sh\ntouch was_run\n")
    (root / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{root}{os.pathsep}.{os.pathsep}{os.environ['PATH']}")
    assert found(root) == ("a.py", "git")
    assert not (root / "was_run").exists()


def test_a_git_that_called_us_does_not_change_what_is_found(tree, monkeypatch):
    root = tree("a.py", "other/b.py")
    run_git("init", "-q", ".")
    run_git("init", "-q", str(root.parent / "elsewhere"))
    for name, value in (
        ("GIT_DIR", root.parent / "elsewhere/.git"),
        ("GIT_INDEX_FILE", "none"),
        ("GIT_PREFIX", "other/"),
    ):
        monkeypatch.setenv(name, str(value))
    assert found(root) == ("a.py", "other/b.py")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="needs permissions that hold")
def test_a_folder_that_may_not_be_read_is_a_problem(tree):
    root = tree("x/a.py")
    (root / "x").chmod(0)
    try:
        assert problems(root) == {"x": "may not be read (permission denied)"}
    finally:
        (root / "x").chmod(0o755)


def test_each_of_many_files_is_looked_at_once(repository, monkeypatch):
    root = repository(*(f"pkg{n % 30}/mod{n}.py" for n in range(3000)))
    if (root / ".git").exists():
        run_git("add", ".")
    looks = []
    lstat = os.lstat
    monkeypatch.setattr(os, "lstat", lambda path: looks.append(path) or lstat(path))
    assert len(found(root)) == 3000
    assert len(looks) < 3100


HEAVY = """
pydantic libcst jinja2 rich yaml torch tomlkit packaging pathspec importlib.metadata concurrent.futures
multiprocessing inspect dataclasses pathlib shutil
""".split()


def test_finding_and_parsing_one_file_loads_nothing_heavy(tree):
    root = tree("a.py")
    code = (
        "import sys; from dlgovern.source import classify, discover, encoding, parse, read\n"
        "for path in discover.discover('.', ['a.py']).files:\n"
        "    data = read.read(path); encoding.problem(data); classify.classify(path); parse.parse(data)\n"
        f"print(sorted(set({HEAVY + ['subprocess']}) & set(sys.modules)))"
    )
    source = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(git.__file__))))
    environment = os.environ | {"PYTHONPATH": source}
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=root, env=environment, capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
