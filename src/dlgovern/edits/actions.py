"""The actions that a rule's repair may name."""

from __future__ import annotations

from collections.abc import Callable

from dlgovern.edits import arguments, expressions, naming, statements
from dlgovern.edits.source import Change, Place

ACTIONS: dict[str, Callable[[Place], list[Change] | None]] = {
    "add-alias": expressions.add_alias,
    "append-to-callee": expressions.append_to_callee,
    "as-table-says": naming.as_table_says,
    "comprehension": expressions.comprehension,
    "delete-argument": arguments.delete_argument,
    "delete-statement": statements.delete_statement,
    "drop-target": statements.drop_target,
    "insert": naming.insert,
    "insert-before": statements.insert_before,
    "rename": naming.rename,
    "rename-argument": arguments.rename_argument,
    "replace-text": expressions.replace_text,
    "set-argument": arguments.set_argument,
    "wrap": expressions.wrap,
}
"""Action -> what it would change at one place, None where that is not sure. All parameters stand in ``[fix]``."""
