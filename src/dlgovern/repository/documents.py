"""The documents of a repository, read when first asked for and kept while their files stay as they are."""

from __future__ import annotations

from typing import Any

from dlgovern import bundled
from dlgovern.evidence import codec, registry
from dlgovern.repository.status import stamp
from dlgovern.store import Store, key


class Documents:
    """Documents by path. Outside CI a file's size, time and inode stand for its bytes, as in the cache of results."""

    def __init__(self, root: str, store: Store) -> None:
        self.root = root
        self._store = store
        self._name = f"documents-{key(root, bundled.version())}.json"
        self._read: dict[str, Any] = {}
        self._kept: dict[str, Any] | None = None
        self._changed = False

    def get(self, path: str, kind: str) -> Any:
        """The document of a file, None where it cannot be read."""
        if path not in self._read:
            self._read[path] = self._load(path, kind)
        return self._read[path]

    def keep(self, path: str, kind: str, document: Any) -> None:
        """Take a document that was read for its own sake."""
        self._read[path] = document
        if self._store.folder:
            self._known()[path] = [[kind, *stamp(self.root, path)], document]
            self._changed = True

    def save(self) -> None:
        """Keep what was read."""
        if self._changed and self._kept is not None:
            self._store.put(self._name, self._kept)
            self._changed = False

    def _load(self, path: str, kind: str) -> Any:
        mark = [kind, *stamp(self.root, path)]
        kept = self._known().get(path)
        if isinstance(kept, list) and len(kept) == 2 and kept[0] == mark:  # noqa: PLR2004 - mark and document
            try:
                return codec.restore(registry.form(kind), kept[1])
            except (TypeError, ValueError, KeyError, AttributeError):
                pass
        reading = registry.read_file(self.root, path, kind)
        if reading.kind:
            return None  # a model file under the name of a document
        if reading.document is not None:
            self._known()[path] = [mark, reading.document]
            self._changed = True
        return reading.document

    def _known(self) -> dict[str, Any]:
        """What earlier runs kept."""
        if self._kept is None:
            known = self._store.get(self._name)
            self._kept = known if isinstance(known, dict) else {}
        return self._kept
