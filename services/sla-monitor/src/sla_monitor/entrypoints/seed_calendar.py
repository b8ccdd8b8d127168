"""Seed the calendar's data files from the `holidays` library.

`python -m sla_monitor.entrypoints.seed_calendar <folder> <first year> <last year>`.
"""

import csv
import io
import sys
from collections.abc import Iterable
from pathlib import Path

from holidays import GOVERNMENT, PUBLIC, country_holidays

from tuntas_reference.calendar import Holiday, HolidayKind
from tuntas_reference.calendar_files import FIELDS

_KINDS = ((PUBLIC, HolidayKind.NATIONAL_HOLIDAY), (GOVERNMENT, HolidayKind.COLLECTIVE_LEAVE))
_MISSPELT = ("Pegangti", "Pengganti")


def holidays_of(year: int) -> list[Holiday]:
    """What the library knows of one year; a day that is both counts as a national holiday."""
    found: dict[object, Holiday] = {}
    for category, kind in _KINDS:
        for day, name in sorted(country_holidays("ID", years=year, categories=(category,), language="id").items()):
            found.setdefault(day, Holiday(day, kind, name.replace(*_MISSPELT)))
    return sorted(found.values(), key=lambda holiday: holiday.day)


def as_csv(holidays: Iterable[Holiday]) -> str:
    """The text of one year's file."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(FIELDS)
    writer.writerows((holiday.day.isoformat(), holiday.kind.value, holiday.name) for holiday in holidays)
    return out.getvalue()


def seed(folder: Path, first_year: int, last_year: int) -> list[Path]:
    """Write one file per year; what an operator corrected by hand in those files is overwritten."""
    written = []
    for year in range(first_year, last_year + 1):
        path = folder / f"{year}.csv"
        path.write_text(as_csv(holidays_of(year)), encoding="utf-8")
        written.append(path)
    return written


def main(arguments: list[str]) -> int:
    """The command line; returns the exit status."""
    try:
        folder, first_year, last_year = Path(arguments[0]), int(arguments[1]), int(arguments[2])
    except (IndexError, ValueError):
        sys.stderr.write("usage: python -m sla_monitor.entrypoints.seed_calendar <folder> <first year> <last year>\n")
        return 2
    for path in seed(folder, first_year, last_year):
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
