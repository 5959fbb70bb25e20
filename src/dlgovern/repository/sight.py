"""What one file sees of the others, with the files that each answer was taken from."""

from __future__ import annotations

from dlgovern.repository.exports import Repository
from dlgovern.source.imports import ImportLine, scan


class Sight:
    """The other files as one file sees them; ``reads`` collects those an answer was taken from: the cache must know."""

    def __init__(self, repository: Repository, path: str, *, on_disk: bool = False) -> None:
        """``on_disk``: the file is judged as it lies in the repository, so what is known of it there may be used."""
        self.repository = repository
        self.on_disk = on_disk
        self.path = path
        self.reads: set[str] = set()
        self.named: set[str] = set()  # those of them that say where the names of this file come from

    def name(self, level: int, module: str, name: str) -> str | None:
        """Where ``from module import name`` comes from outside the repository."""
        inner = self.repository.modules.find(self.path, level, module)
        if inner is None:
            return None
        origin, depends = self.repository.origin(inner, name)
        self.reads |= depends
        self.named |= depends
        return origin

    def inside(self, level: int, module: str) -> bool:
        """Whether ``module`` is a file of the repository."""
        return self.repository.modules.find(self.path, level, module) is not None

    def passes_on(self, level: int, module: str, tokens: set[bytes]) -> dict[str, str]:
        """The names among ``tokens`` that a module of the repository passes on from outside it."""
        inner = self.repository.modules.find(self.path, level, module)
        if inner is None:
            return {}
        found, depends = self.repository.passes_on(inner, tokens)
        self.reads |= depends
        return found

    def imports(self, data: bytes) -> list[ImportLine]:
        """The import statements of the file itself, whose bytes (NFKC) are given."""
        return self.repository.imports(self.path, data) if self.on_disk else scan(data)
