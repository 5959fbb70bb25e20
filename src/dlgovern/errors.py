"""The errors a user can cause, each saying what is wrong, where, and what to do."""

from __future__ import annotations


class UserError(Exception):
    """A mistake outside our code: bad usage, configuration or standard. The door turns it into exit 2.

    ``what`` is a fact in one line, ``where`` a place such as ``rules/x.toml:12``, ``do`` the next step.
    """

    def __init__(self, what: str, where: str = "", do: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.do = do

    def lines(self) -> list[str]:
        """The message as lines for a terminal, most important first."""
        head = f"{self.where}: {self.what}" if self.where else self.what
        return [head, f"  {self.do}"] if self.do else [head]


class UsageError(UserError):
    """The command line asks for something that does not exist or does not fit."""


class ConfigurationError(UserError):
    """The project's configuration cannot be used."""


class StandardError(UserError):
    """A standard cannot be used. Carries every mistake found, not only the first."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        count = len(mistakes)
        super().__init__(f"{count} mistake{'s' if count != 1 else ''}")
        self.mistakes = mistakes

    def lines(self) -> list[str]:
        """One line a mistake, in file order, then the count."""
        return [mistake.line() for mistake in sorted(self.mistakes)] + [self.what]


class Mistake(tuple[str, int, str]):
    """One mistake in a file people write: (path, line counted from 1 or 0 if unknown, what is wrong)."""

    __slots__ = ()

    def __new__(cls, path: str, line: int, what: str) -> Mistake:
        """Make a mistake from its three parts."""
        return super().__new__(cls, (path, line, what))

    def line(self) -> str:
        """``path:line: what``, without the line where it is unknown."""
        path, line, what = self
        return f"{path}:{line}: {what}" if line else f"{path}: {what}"


def suggestion(wrong: str, known: list[str]) -> str:
    """``; did you mean "x"?`` for a misspelt word, else ""."""
    import difflib  # only on the way to an error

    close = difflib.get_close_matches(wrong, known, 1, 0.6)
    return f'; did you mean "{close[0]}"?' if close else ""
