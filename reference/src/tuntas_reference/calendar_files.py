"""The calendar's data files: `<year>.csv` (date, kind, name) and `calendar.toml` (version, decreed_until)."""

import csv
import tomllib
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from tuntas_reference.calendar import CalendarError, Holiday, HolidayKind, WorkingCalendar

FIELDS = ("date", "kind", "name")


def read_year(name: str, text: str) -> Iterator[Holiday]:
    """The holidays of one file. Raises CalendarError that names file, line and fault."""
    rows = csv.DictReader(text.splitlines())
    if tuple(rows.fieldnames or ()) != FIELDS:
        raise CalendarError(f"{name}: the first line must be {','.join(FIELDS)!r}")
    for row in rows:
        try:
            holiday = Holiday(date.fromisoformat(row["date"]), HolidayKind(row["kind"]), row["name"])
        except ValueError as error:
            raise CalendarError(f"{name}, line {rows.line_num}: {error}") from error
        if str(holiday.day.year) != name.removesuffix(".csv"):
            raise CalendarError(f"{name}, line {rows.line_num}: {holiday.day} belongs into the file of its own year")
        yield holiday


def read_calendar(folder: Traversable) -> WorkingCalendar:
    """The calendar of a folder of data files. Raises CalendarError."""
    head = tomllib.loads(folder.joinpath("calendar.toml").read_text(encoding="utf-8"))
    years = sorted((item for item in folder.iterdir() if item.name.endswith(".csv")), key=lambda item: item.name)
    holidays = [holiday for item in years for holiday in read_year(item.name, item.read_text(encoding="utf-8"))]
    return WorkingCalendar(head["version"], head["decreed_until"], holidays)


@lru_cache(maxsize=1)
def load_calendar() -> WorkingCalendar:
    """The calendar that comes with this package, read once."""
    return read_calendar(files("tuntas_reference").joinpath("data", "calendar"))
