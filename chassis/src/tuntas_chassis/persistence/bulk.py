"""Many rows in one statement: columns declared once give the SQL around `unnest` and the arrays that it takes.

_CASES = BulkColumns(
    Case,
    BulkColumn("id", "uuid", lambda case: case.case_id, fixed=True),
    BulkColumn("version", "integer"),
    BulkColumn("history", "text", write_history, cast="jsonb"),
)
_SAVE = _CASES.statement(
    'INSERT INTO "case" ({names}) SELECT {values} FROM {unnest} AS x ({names}) ON CONFLICT (id) DO UPDATE SET {changes}'
)
await connection.execute(_SAVE, _CASES.arrays(cases))
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from operator import attrgetter, itemgetter
from typing import Any, Generic, TypeVar, get_args, get_origin

from sqlalchemy import TextClause, text

Item = TypeVar("Item")

_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_TYPE = re.compile(r"[a-z][a-z0-9 ]*")
_CAST = re.compile(r"[a-z][a-z0-9 ]*(\[\])?")


@dataclass(frozen=True, slots=True)
class BulkColumn(Generic[Item]):
    """One column; its name is also the name of its parameter.

    `sql_type` is the type of one value, sent as an array of it. `take` gives the value of an item; without it the value is the
    attribute of the column's name, or of a plain tuple the value at the column's place. A `fixed` column is a key, or never changes:
    `{changes}` leaves it out. `cast` is what the value is cast to in `{values}`, for what no array can carry as it is (an array of arrays).
    """

    name: str
    sql_type: str
    take: Callable[[Item], object] | None = None
    fixed: bool = False
    cast: str | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for a name or a type that may not be put into a statement as it is."""
        for what, value, allowed in (("name", self.name, _NAME), ("type", self.sql_type, _TYPE), ("cast", self.cast or "text", _CAST)):
            if not allowed.fullmatch(value):
                raise ValueError(f"the {what} {value!r} of a bulk column does not match {allowed.pattern}")


class BulkColumns(Generic[Item]):
    """The columns that one statement reads from or writes for many items."""

    def __init__(self, item_type: type[Item], *columns: BulkColumn[Item]) -> None:
        """Raises ValueError for a name given twice, and for a column without `take` whose value is not found in `item_type`."""
        self.columns = [replace(c, take=c.take or _take(item_type, c.name, place)) for place, c in enumerate(columns)]
        self.names = ", ".join(column.name for column in columns)
        """`a, b`"""
        self.unnest = f"unnest({', '.join(f'CAST(:{column.name} AS {column.sql_type}[])' for column in columns)})"
        """`unnest(CAST(:a AS uuid[]), CAST(:b AS text[]))`"""
        self.values = ", ".join(f"CAST({column.name} AS {column.cast})" if column.cast else column.name for column in columns)
        """`a, CAST(b AS jsonb)`"""
        self._item_type = item_type
        self._takes = {column.name: column.take for column in self.columns if column.take is not None}
        if len(self._takes) < len(columns):
            raise ValueError(f"a bulk column is declared twice: {self.names}")

    def changes(self, source: str = "EXCLUDED") -> str:
        """`b = EXCLUDED.b`: every column that is not fixed, from the row of this alias."""
        return ", ".join(f"{column.name} = {source}.{column.name}" for column in self.columns if not column.fixed)

    def without(self, *names: str) -> "BulkColumns[Item]":
        """The same columns but these. Raises ValueError for a name that is none of them."""
        if unknown := set(names) - self._takes.keys():
            raise ValueError(f"no bulk columns: {', '.join(sorted(unknown))}; there are {self.names}")
        return BulkColumns(self._item_type, *(column for column in self.columns if column.name not in names))

    def statement(self, template: str, *, changes_from: str = "EXCLUDED") -> TextClause:
        """The statement with `{names}`, `{unnest}`, `{values}` and `{changes}` filled in; a brace of its own is written twice.

        What is filled in are checked names and types of declarations, never data. Raises ValueError for any other placeholder, and for a
        single brace.
        """
        fragments = {"names": self.names, "unnest": self.unnest, "values": self.values, "changes": self.changes(changes_from)}
        try:
            return text(template.format_map(fragments))
        except (KeyError, ValueError) as error:
            raise ValueError(f"a bulk statement has the placeholders {', '.join(fragments)} only: {error}") from None

    def arrays(self, items: Collection[Item]) -> dict[str, list[object]]:
        """The parameters: of each column the values of all items, in their order."""
        return {name: list(map(take, items)) for name, take in self._takes.items()}


def _take(item_type: type, name: str, place: int) -> Callable[[Any], object]:
    if get_origin(item_type) is tuple:
        if place < len(get_args(item_type)):
            return itemgetter(place)
    elif hasattr(item_type, name) or any(name in vars(base).get("__annotations__", ()) for base in item_type.__mro__):
        return attrgetter(name)
    raise ValueError(f"the bulk column {name!r} needs `take`: {item_type} has no such value")
