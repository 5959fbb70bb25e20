"""What judging one file brought, in a form that fits through a pipe and into the cache."""


from collections.abc import Iterable
from typing import Any, NamedTuple

from dlgovern.finding import Hit
from dlgovern.repository.modules import Folder
from dlgovern.source.comments import Excuse

Learnt = tuple[str, Any, Any, tuple[tuple[str, str], ...]]
"""A lesson (see `repository.learned`) about a file: the question, the answer, and what this rests on with its digests."""


class FileResult(NamedTuple):
    """Raw hits of one file and what they rest on. Judgement comes later and is never part of it."""

    path: str
    digest: str = ""  # SHA-256 of the bytes that were judged
    hits: tuple[Hit, ...] = ()
    excuses: tuple[Excuse, ...] = ()
    reads: tuple[tuple[str, str], ...] = ()  # other files and their digests, read for an answer
    failed: tuple[tuple[str, str], ...] = ()  # (rule, why) of detectors that raised
    not_judged: str = ""  # why the file was not judged
    parsed: bool = False
    stand: tuple[tuple[str, bool], ...] = ()  # (rule, wanted?) marks for rules about the whole repository
    spent: float = 0.0  # seconds
    looked: tuple[Folder, ...] = ()  # into for imports, as far as the judging process had not told before
    learned: tuple[Learnt, ...] = ()
    places: tuple[tuple[int, ...], ...] = ()  # of a notebook: line and column in its code -> cell and file, see judge.notebooks


def dump(result: FileResult) -> list[Any]:
    """The result as JSON-ready values."""
    return list(result)


def load(values: list[Any]) -> FileResult:
    """The result from what `dump` became in JSON. Raises TypeError or ValueError for anything else."""
    result = FileResult(*values)
    return result._replace(
        hits=tuple(Hit(*hit)._replace(related=tuple(map(tuple, hit[7]))) for hit in result.hits),  # type: ignore[arg-type]
        excuses=tuple(Excuse(*_tupled(excuse)) for excuse in result.excuses),
        reads=tuple(map(tuple, result.reads)),  # type: ignore[arg-type]
        failed=tuple(map(tuple, result.failed)),  # type: ignore[arg-type]
        looked=tuple((folder, tuple(names)) for folder, names in result.looked),
        places=tuple(map(tuple, result.places)),
        stand=tuple(map(tuple, result.stand)),  # type: ignore[arg-type]
    )


class Sender:
    """Results on their way through a pipe. What they were read from is told once and then numbered: many rest on the same files."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], int] = {}

    def pack(self, result: FileResult) -> list[Any]:
        """The result, the files that are told for the first time, and the numbers of all that it rests on, as JSON-ready values."""
        fresh: list[tuple[str, str]] = []
        numbers = self._told(result.reads, fresh)
        learned = [(path, asked, told, self._told(reads, fresh)) for path, asked, told, reads in result.learned]
        return [dump(result._replace(reads=(), learned=())), fresh, numbers, learned]

    def _told(self, reads: Iterable[tuple[str, str]], fresh: list[tuple[str, str]]) -> list[int]:
        numbers: list[int] = []
        for pair in reads:
            number = self._numbers.get(pair)
            if number is None:
                number = self._numbers[pair] = len(self._numbers)
                fresh.append(pair)
            numbers.append(number)
        return numbers


class Receiver:
    """The other end of a `Sender`."""

    def __init__(self) -> None:
        self._told: list[tuple[str, str]] = []

    def unpack(self, values: list[Any]) -> FileResult:
        """The result from what `Sender.pack` became in JSON."""
        packed, fresh, numbers, learned = values
        self._told += ((path, digest) for path, digest in fresh)
        lessons = tuple((path, asked, told, self._pairs(rest)) for path, asked, told, rest in learned)
        return load(packed)._replace(reads=self._pairs(numbers), learned=lessons)

    def _pairs(self, numbers: list[int]) -> tuple[tuple[str, str], ...]:
        return tuple(self._told[number] for number in numbers)


def essence(result: FileResult) -> list[Any]:
    """What of a result is worth keeping, as JSON-ready values; empty where nothing was found."""
    if not (result.hits or result.excuses or result.stand):
        return []
    return [result.hits, result.excuses, result.stand, result.places, result.parsed]


def revive(path: str, digest: str, values: list[Any]) -> FileResult:
    """The result from what `essence` became in JSON. Raises TypeError or ValueError for anything else."""
    if not values:
        return FileResult(path, digest)
    hits, excuses, stand, places, parsed = values
    return load([path, digest, hits, excuses, (), (), "", parsed, stand, 0.0, (), (), places])


def _tupled(values: Any) -> list[Any]:
    return [tuple(value) if isinstance(value, list) else value for value in values]
