"""Files that no rule needs are asked whether they parse, without a tree being made of them."""

import ast
import warnings

import pytest

from dlgovern.source.syntax import may_be_broken

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
    "bracket left open": b"x = f(1, (2, 3)\ny = 4\n",
    "bracket too many": b"x = f(1, 2))\n",
    "operand missing": b"x = 1 +\n",
    "word twice": b"def def f():\n    pass\n",
    "line moved in": b"x = 1\n  y = 2\n",
    "block without lines": b"if x:\ny = 1\n",
    "text left open": b"x = 'abc\n",
    "cut in the middle": b"class A:\n    def f(self,\n",
    "a byte that the encoding does not know": b"# coding: ascii\nx = '\xe9'\n",
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
    "an escape that Python warns of": b"x = '\\d'\n",
    "another encoding": b"# coding: latin-1\nx = '\xe9'\n",
    "a mark at the beginning": b"\xef\xbb\xbfx = 1\n",
    "nothing": b"",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_source_is_seen(name: str) -> None:
    """Every one of these is refused by the parser."""
    with pytest.raises(SyntaxError):
        ast.parse(BROKEN[name])
    assert may_be_broken(BROKEN[name])


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_source_passes(name: str, recwarn: pytest.WarningsRecorder) -> None:
    """Every one of these parses, and nothing is said of it."""
    assert not may_be_broken(SOUND[name])
    assert [] == list(recwarn)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ast.parse(SOUND[name])


@pytest.mark.parametrize("data", [b"x = [" + b"1, " * 400_000 + b"]\n)", b"x = f'{a}'\ny = (" + b"{1}, " * 40_000 + b")\n)"])
def test_what_would_take_too_long_is_not_asked(data: bytes) -> None:
    """Both are broken at the end; no rule needs them, so the limits of time come first."""
    assert not may_be_broken(data)
