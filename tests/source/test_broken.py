"""Files that no rule needs are parsed where their text shows that they may be broken."""

import ast

import pytest

from dlgovern.source.broken import may_be

BROKEN = {
    "print statement": b'import os\nprint "done"\n',
    "print of a name": b"def f(x):\n    print x\n",
    "exec statement": b"exec code in {}\n",
    "except with a comma": b"try:\n    pass\nexcept (IOError, OSError), error:\n    pass\n",
    "except of one": b"try:\n    pass\nexcept IOError, error:\n    pass\n",
    "raise with a comma": b'raise ValueError, "no"\n',
    "lambda with a tuple": b"key = lambda (a, b): a\n",
    "unequal": b"if 1 <> 2:\n    pass\n",
    "async as a keyword argument": b"x = x.cuda(async=True)\n",
    "unsolved merge": b"a = 1\n<<<<<<< HEAD\nb = 2\n=======\nb = 3\n>>>>>>> other\n",
    "template": b"{% if a %}\nimport b\n{% endif %}\n",
    "shell command of a notebook": b"import os\n!pip install torch\n",
    "tabs and blanks": b"def f():\n\tif x:\n        y\n",
}
SOUND = {
    "call": b'print("done")\nprint ("done")\nexec("x")\n',
    "name": b"print = log\nprint\n",
    "prose": b'"""Tables.\n\n    We print the table; exec follows.\n"""\n# print x\nx = "except a, b"\n',
    "tuple of errors": b"try:\n    pass\nexcept (IOError, OSError) as error:\n    raise ValueError(1, 2)\n",
    "lambda": b"key = lambda a, b: (a, b)\nkey = lambda: (1, 2)\n",
    "shift": b"x = 1 << 7\ny = a < b > c\n",
    "async": b"async def f(x):\n    await x\n",
    "tabs alone": b"def f():\n\tif x:\n\t\treturn 1\n",
    "formatted": b'x = f"{{a}} {b}"\ny = 1 % 2\nz = x != y\n',
}


@pytest.mark.parametrize("name", BROKEN)
def test_signs_of_a_broken_file_are_seen(name: str) -> None:
    """Every one of these is refused by the parser."""
    with pytest.raises(SyntaxError):
        ast.parse(BROKEN[name])
    assert may_be(BROKEN[name])


@pytest.mark.parametrize("name", SOUND)
def test_what_only_looks_alike_is_not_parsed(name: str) -> None:
    """Every one of these parses."""
    ast.parse(SOUND[name])
    assert not may_be(SOUND[name])
