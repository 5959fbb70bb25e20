"""Read Dockerfiles with our reader and with dockerfile-parse; print agreement and every disagreement.

``dockerfile_cases.py MIRROR...``: git directories whose newest commit is read in place. Corner cases are below.
"""

from __future__ import annotations

import argparse
import io
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

from dockerfile_parse import DockerfileParser

from dlgovern.evidence.dockerfile import instructions, read_dockerfile

_NAMED = re.compile(r"(?:^|/)(?:Dockerfile[^/]*|[^/]*\.[Dd]ockerfile|Containerfile)$")
_WORDS = frozenset("ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR".split())
_VARIABLE = re.compile(r"\$\{?\w+\}?")  # one that has no value here; dockerfile-parse puts nothing in its place
CASES = {
    "escape": "# escape=`\nFROM a:1\nRUN one `\n  two\nCOPY a c:\\\\\nUSER u\n",
    "escape behind syntax": "# syntax=docker/dockerfile:1\n# escape=`\nFROM a:1\nRUN one `\n  two\n",
    "escape too late": "FROM a:1\n# escape=`\nRUN one \\\n  two\n",
    "comment inside": "FROM a:1\nRUN one && \\\n# said between\n    two\nUSER u\n",
    "blank inside": "FROM a:1\nRUN one && \\\n\n    two\nUSER u\n",
    "blanks behind": "FROM a:1\nRUN one && \\  \n    two\nUSER u\n",
    "lower case": "from a:1 as base\nrun one\nFrom base\n",
    "flags": "FROM --platform=linux/amd64 a:1 AS base\nRUN --mount=type=cache,target=/c one\n",
    "argument": "ARG TAG=1.2\nFROM a:${TAG}\nFROM b:$TAG\nFROM c:${TAG:-3}\n",
    "argument quoted": 'ARG TAG="1.2"\nFROM "a:${TAG}"\n',
    "argument of default": "ARG TAG=${OTHER:-3}\nFROM c:${TAG}\nFROM d:${NONE:-4}\n",
    "two on a line": "ARG A=1 B=2\nFROM a:$A\nFROM b:$B\n",
    "digest": "FROM example.com:5000/a/b:1@sha256:" + "0" * 64 + "\n",
    "heredoc": "FROM a:1\nRUN <<EOF\none\nFROM b:2\nEOF\nUSER u\n",
    "end of text": "FROM a:1\nRUN one \\",
    "CRLF": "FROM a:1\r\nRUN one \\\r\n  two\r\nUSER u\r\n",
    "indented": "  FROM a:1\n\tRUN one\n",
    "odd end": "FROM a:1\nRUN echo one \\\\\nUSER u\n",
    "nothing": "FROM scratch\nCOPY --from=0 a b\n",
    "tabs": "FROM\ta:1\tAS\tbase\n",
    "onbuild": "FROM a:1\nONBUILD RUN one\n",
}  # fmt: skip

JUDGED = {
    "blank inside": "Docker goes on behind an empty line inside an instruction, though it warns",
    "argument": "${A:-b} in FROM is b where A is not set",
    "argument of default": "${A:-b} in ARG and in FROM is b where A is not set",
    "heredoc": "what stands in a here-document is no instruction",
    "end of text": "a text that ends in a backslash ends there",
    "odd end": "a line that ends in two backslashes does not go on",
}
"""Corner case in which the two differ -> what Docker's reference says, which is what we say."""


def main() -> int:
    """Print what differs, and the counts; 1 where a difference has no judgement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mirror", nargs="*", type=Path)
    said = parser.parse_args()
    count: Counter[str] = Counter()
    for name, text in CASES.items():
        compare(f"case {name}", text, count)
    for mirror in said.mirror:
        for path in git(mirror, "ls-tree", "-r", "--name-only", "HEAD").splitlines():
            if _NAMED.search(path):
                compare(f"{mirror.parent.name}: {path}", git(mirror, "show", f"HEAD:{path}"), count)
    for name, why in JUDGED.items():
        print(f"ours is right: case {name}: {why}")
    print(f"{count['alike']} alike with {count['instructions']} instructions, {count['judged']} differ and ours is right, {count['differ']} differ")
    return 1 if count["differ"] else 0


def git(mirror: Path, *words: str) -> str:
    """What git prints."""
    return subprocess.run(["git", "-C", str(mirror), *words], capture_output=True, check=True).stdout.decode("utf-8", "replace")


def compare(name: str, text: str, count: Counter[str]) -> None:
    """Compare the images of all stages, and every instruction with its first line."""
    theirs = DockerfileParser(fileobj=io.BytesIO(text.encode()))
    text = text.replace("\r\n", "\n")  # as `text.py` gives it to our reader
    pairs = (
        ("images", theirs.parent_images, [_VARIABLE.sub("", one.image) for one in read_dockerfile(text).stages]),
        ("instructions", [one for one in _of_theirs(theirs) if one[0] in _WORDS], [one for one in _of_ours(text) if one[0] in _WORDS]),
    )
    same = True
    for what, of_theirs, of_ours in pairs:
        if of_theirs != of_ours:
            same = False
            print(f"differ: {name}: {what}\n  dockerfile-parse {_but(of_theirs, of_ours)}\n  ours             {_but(of_ours, of_theirs)}")
    judged = name.removeprefix("case ") in JUDGED or any(":-" in image for image in theirs.parent_images)  # as case argument
    count["alike" if same else "judged" if judged else "differ"] += 1
    count["instructions"] += len(pairs[1][2])


def _of_theirs(parser: DockerfileParser) -> list[tuple[str, int, str]]:
    return [(one["instruction"], one["startline"] + 1, _plain(one["value"])) for one in parser.structure if one["instruction"] != "COMMENT"]


def _of_ours(text: str) -> list[tuple[str, int, str]]:
    found = instructions(text)
    return [(one.word, one.lines[0].line if one.lines else 0, _plain("".join(_cut(part.text) for part in one.lines))) for one in found]


def _cut(text: str) -> str:
    return text[:-1] if text.endswith("\\") and not text.endswith("\\\\") else text


def _plain(text: str) -> str:
    return "".join(text.split())


def _but(one: list[object], other: list[object]) -> list[object]:
    return [entry for entry in one if entry not in other][:3]


if __name__ == "__main__":
    sys.exit(main())
