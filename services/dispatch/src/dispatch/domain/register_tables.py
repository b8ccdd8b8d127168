"""Register tables: CSV lines to typed rows, each knowing its place in its file."""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from dispatch.domain.register_faults import Fault
from tuntas_reference.categories import Sector

CODE = re.compile(r"[a-z0-9][a-z0-9-]{1,38}")
AGENCY_COLUMNS = ("code", "name", "kind", "region_code", "time_zone", "supervised_by", "email", "sectors")
UNIT_COLUMNS = ("agency_kind", "code", "parent", "name", "kind", "sectors")
AGENCY_UNIT_COLUMNS = ("agency_code", "code", "parent", "name", "kind", "sectors")
ALL_SECTORS = "*"

E = TypeVar("E", bound=StrEnum)


@dataclass(slots=True)
class Row:
    """A row and the faults found in it; reading a faulty cell adds a fault and gives None."""

    file: str
    line: int
    cells: dict[str, str]
    faults: list[Fault]

    def fault(self, message: str) -> None:
        """Note something wrong with this row."""
        self.faults.append(Fault(self.file, self.line, message))

    def text(self, column: str) -> str:
        """A cell that may not be empty; "" and a fault if it is."""
        value = self.cells[column]
        if not value:
            self.fault(f"{column} is empty")
        return value

    def code(self, column: str) -> str:
        """A code fit for a topic name; the text as it stands and a fault if it is not."""
        value = self.cells[column]
        if not CODE.fullmatch(value):
            self.fault(f"{column} {value!r} is no code: 2 to 39 of a-z, 0-9 and -, not beginning with -")
        return value

    def optional(self, column: str) -> str | None:
        """A cell that may be empty."""
        return self.cells[column] or None

    def member(self, column: str, kind: type[E]) -> E | None:
        """A word of a closed vocabulary."""
        value = self.cells[column]
        try:
            return kind(value)
        except ValueError:
            self.fault(f"{column} {value!r} is unknown: use one of {', '.join(kind)}")
            return None

    def sectors(self) -> tuple[Sector, ...]:
        """The `;`-separated sectors; unknown and repeated ones are faults."""
        found: list[Sector] = []
        for word in filter(None, self.cells["sectors"].split(";")):
            if word not in _SECTORS:
                self.fault(f"sector {word!r} is unknown: use {', '.join(Sector)}")
            elif _SECTORS[word] in found:
                self.fault(f"sector {word!r} is given twice")
            else:
                found.append(_SECTORS[word])
        return tuple(found)


_SECTORS = {sector.value: sector for sector in Sector}


def parse_table(file: str, lines: Iterable[str], columns: tuple[str, ...], faults: list[Fault]) -> list[Row]:
    """The rows of a CSV table with one header row; what is wrong goes to `faults`."""
    reader = csv.reader(lines, strict=True)
    rows: list[Row] = []
    try:
        header = next(reader, [])
        if sorted(header) != sorted(columns):
            faults.append(Fault(file, 1, f"the header must name the columns {', '.join(columns)}"))
            return []
        for record in reader:
            if not record:
                continue
            if len(record) != len(header):
                faults.append(Fault(file, reader.line_num, f"{len(record)} cells, the header has {len(header)}"))
                continue
            cells = dict(zip(header, map(str.strip, record), strict=True))
            rows.append(Row(file, reader.line_num, cells, faults))
    except csv.Error as error:
        faults.append(Fault(file, reader.line_num, f"not CSV: {error}"))
    return rows
