"""Tables of names in a standard: which row speaks for a dotted name, and which rows a rule and a window are about."""

from typing import Any, NamedTuple

from dlgovern.detect import Parameter
from dlgovern.repository.window import STANDARD, Window, Windows, parse_version

AHEAD = Parameter(
    "boolean", "judge by the versions of the standard too, as info, where the repository keeps to older ones", default=False
)


class Row(NamedTuple):
    """One name of an API table. Versions are "" where the state was never reached."""

    name: str
    added: str
    deprecated: str
    removed: str
    replacement: str
    fix: str
    since: str
    group: str
    evidence: str
    note: str


class Names:
    """A table in which a row stands for its name and for every name below it, unless a longer row is nearer."""

    def __init__(self, rows: list[list[str]]) -> None:
        self.rows = {values[0]: Row._make(values) for values in rows}
        self.live: dict[tuple[Any, ...], dict[str, Row]] = {}  # by what a rule asks and the versions that count
        self._libraries: dict[str, tuple[str, ...]] = {}

    def libraries(self, parameters: dict[str, Any]) -> tuple[str, ...]:
        """The distributions, by one name of each, whose versions count for a rule with these parameters."""
        library = parameters.get("library", "torch")
        if library not in self._libraries:
            one = {library_of(parameters, name): name for name in self.rows}
            self._libraries[library] = tuple(one[name] for name in sorted(one))
        return self._libraries[library]

    def nearest(self, name: str) -> Row | None:
        """The row that speaks for a dotted name. What is called or made on the way has no row of its own."""
        if "()" in name:
            plain = name.replace("().", ".")
            return self.rows.get(plain) if "()" not in plain else None
        while name:
            if name in self.rows:
                return self.rows[name]
            name = name.rpartition(".")[0]
        return None


def names_of(tables: dict[str, Any], table: str) -> Names:
    """The table of this name, indexed once for as long as the tables live."""
    rows = tables.get(table, [])
    known = _KNOWN.get(table)
    if known is None or known[0] is not rows:
        known = _KNOWN[table] = (rows, Names(rows))
    return known[1]


_KNOWN: dict[str, tuple[list[list[str]], Names]] = {}


class Allowed(NamedTuple):
    """The versions that count at a place: the repository's, and the standard's where a rule looks ahead of a pin."""

    own: Window | None
    standard: Window | None

    def deciding(self, row: Any, state: str) -> Window | None:
        """The window that has a version in which ``row`` is in this state."""
        return next((window for window in self if _is_in(row, state, window)), None)


ANY = Allowed(Window((0,), (), "any"), None)
"""For a prefilter that does not know the versions of a library."""


def allowed(windows: Windows, path: str, parameters: dict[str, Any], name: str) -> Allowed:
    """What a rule with these parameters asks about a name in the file at ``path``."""
    library = library_of(parameters, name)
    return Allowed(windows.of(path, library), windows.standard.get(library) if parameters.get("ahead") else None)


def library_of(parameters: dict[str, Any], name: str) -> str:
    """The distribution whose versions count: that of the rule, or the package of the name."""
    return str(parameters.get("library", "torch") or name.partition(".")[0].replace("_", "-"))


def _is_in(row: Any, state: str, window: Window | None) -> bool:
    if state == "outdated":
        return reached(row, "removed", window) or reached(row, "deprecated", window)
    return reached(row, state, window)


def reached(row: Any, state: str, window: Window | None) -> bool:
    """Whether some version of the window has the row's name in this state.

    A name is new only where the repository itself says which versions it works with.
    """
    version = getattr(row, state)
    if not version or window is None:
        return False
    if state == "added":
        return window.source not in (STANDARD, "") and window.starts_below(parse_version(version))
    if state == "deprecated" and row.removed and window.reaches(parse_version(row.removed)):
        return False
    return window.reaches(parse_version(version))
