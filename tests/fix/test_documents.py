"""A changed script or manifest is compared with what it said before."""

from __future__ import annotations

from hashlib import sha256

import pytest

from dlgovern.finding import Edit
from dlgovern.fix.documents import changed_outside

SCRIPT = "export A=1\npython a.py\n\npython b.py --x 1\nB=2\n"
JOB = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n    - run: python a.py\n    - run: python b.py\n"


def judged(path: str, before: str, old: str, new: str) -> str:
    start = before.encode().index(old.encode())
    edit = Edit(path, sha256(before.encode()).hexdigest(), start, start + len(old.encode()), new)
    after = before.encode()[: edit.start] + new.encode() + before.encode()[edit.end :]
    return changed_outside(path, before.encode(), after, [edit])


@pytest.mark.parametrize(
    ("path", "before", "old", "new"),
    [
        ("a.sh", SCRIPT, "python a.py", "torchrun a.py"),
        ("a.sh", SCRIPT, "python a.py\n", ""),
        ("a.sh", SCRIPT, "python a.py\n", "python a.py \\\n  --more\npython c.py\n"),
        ("a.sh", SCRIPT, "A=1", "A=3"),
        ("a.sh", "A='x y'\npython $A\n", "x y", "x"),
        (".github/workflows/a.yml", JOB, "    - run: python a.py\n", "    - run: python a.py\n    - run: python c.py\n"),
        ("Dockerfile", "FROM a:1\nRUN python a.py\nCMD [\"b\"]\n", "python a.py", "torchrun a.py"),
    ],
)
def test_a_change_of_the_lines_it_touches_is_proven(path, before, old, new):
    assert judged(path, before, old, new) == ""


@pytest.mark.parametrize(
    ("path", "before", "old", "new", "why"),
    [
        ("a.sh", SCRIPT, "python a.py", "python 'a.py", "commands outside"),
        ("a.sh", SCRIPT, "python a.py", "python a.py \\", ""),
        ("a.sh", SCRIPT, "a.py\n\n", "a.py \\\n", "commands outside"),
        ("a.sh", SCRIPT, "python a.py\n", "python a.py <<E\n", "commands outside"),
        (".github/workflows/a.yml", JOB, "    - run: python a.py\n", "    - run: |\n        python a.py\n    - a: [\n", "does not parse"),
        (".github/workflows/a.yml", JOB, "    - run: python a.py\n", "    - run: >\n       python a.py\n       b\n    x: 1\n", "does not parse"),
    ],
)
def test_a_change_that_reaches_further_is_refused(path, before, old, new, why):
    found = judged(path, before, old, new)
    assert why in found and bool(found) == bool(why)
