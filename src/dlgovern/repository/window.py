"""Which versions of a library the code of each folder must work with."""

import json
from typing import Any, NamedTuple

from dlgovern.digest import sha256

_FORMAT = 1

STANDARD = "the standard"
"""The ``source`` of a window that no file of the repository says."""


class Window(NamedTuple):
    """The versions of one library that code must work with.

    ``floor`` is the lowest allowed version, () where none is known. ``below`` is the first version that is not
    allowed, () where there is none; an exact 2.13.0 is floor (2, 13, 0), below (2, 13, 0, 1). ``source`` says where
    this was read: ``requirements.txt:3``, or `STANDARD`.
    """

    floor: tuple[int, ...]
    below: tuple[int, ...]
    source: str

    def reaches(self, version: tuple[int, ...]) -> bool:
        """Whether some allowed version is ``version`` or newer."""
        if not self.below:
            return True
        wanted = canonical(version)
        return wanted < canonical(self.below) or (bool(self.floor) and wanted <= canonical(self.floor))

    def starts_below(self, version: tuple[int, ...]) -> bool:
        """Whether the lowest allowed version is known and older than ``version``."""
        return bool(self.floor) and canonical(self.floor) < canonical(version)


class Windows:
    """The windows of a repository by folder. The nearest folder above a file wins, the standard comes last.

    A folder is a POSIX path relative to the root, "" for the root. Library names are normalised as PEP 503 says.
    """

    def __init__(self, folders: dict[str, dict[str, Window]], standard: dict[str, Window]) -> None:
        self.folders = folders
        self.standard = standard
        self._digest = ""

    def of(self, path: str, library: str) -> Window | None:
        """The window of ``library`` for the file at ``path``; None where nobody says anything."""
        folder = path
        while folder:
            folder = folder.rpartition("/")[0]
            window = self.folders.get(folder, _NONE).get(library)
            if window is not None:
                return window
        return self.standard.get(library)

    @property
    def digest(self) -> str:
        """A string that changes exactly when an answer of `of` could."""
        if not self._digest:
            text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
            self._digest = sha256(text.encode())
        return self._digest

    def to_json(self) -> dict[str, Any]:
        """JSON-ready values that `from_json` reads back."""
        return {
            "format": _FORMAT,
            "folders": {folder: _plain(found) for folder, found in sorted(self.folders.items())},
            "standard": _plain(self.standard),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Windows":
        """The windows that `to_json` wrote. Raises KeyError, TypeError or ValueError for anything else."""
        if data["format"] != _FORMAT:
            raise KeyError("format")
        folders = {folder: _windows(found) for folder, found in data["folders"].items()}
        return cls(folders, _windows(data["standard"]))


def parse_version(text: str) -> tuple[int, ...]:
    """The release numbers of a version: ``2.13`` is (2, 13), ``2.13.0rc1+cu130`` is (2, 13, 0).

    () for what does not begin with a number.
    """
    numbers: list[int] = []
    for part in text.strip().removeprefix("v").split("+", 1)[0].split("."):
        digits = len(part) - len(part.lstrip("0123456789"))
        if not digits or digits > _DIGITS:
            break
        numbers.append(int(part[:digits]))
        if digits < len(part):
            break
    return tuple(numbers)


_DIGITS = 12  # a date with a time; more is no release number and costs time to convert
_NONE: dict[str, Window] = {}


def canonical(version: tuple[int, ...]) -> tuple[int, ...]:
    """The version without trailing zeros, so that 2.13 and 2.13.0 are equal."""
    end = len(version)
    while end and not version[end - 1]:
        end -= 1
    return version[:end]


def _plain(windows: dict[str, Window]) -> dict[str, list[Any]]:
    return {name: [list(w.floor), list(w.below), w.source] for name, w in sorted(windows.items())}


def _windows(data: dict[str, Any]) -> dict[str, Window]:
    return {name: Window(tuple(floor), tuple(below), source) for name, (floor, below, source) in data.items()}
