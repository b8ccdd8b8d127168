"""Agencies that are added to a register or change in it, checked against all the others."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.resources.abc import Traversable

from dispatch.domain.register import (
    AGENCY_UNITS_FILE,
    UNITS_FILE,
    Agency,
    Fault,
    RegisterError,
    agency_of,
    bundled_register,
    place_agencies,
)
from dispatch.domain.register_checks import check_tiers
from dispatch.domain.register_tables import AGENCY_COLUMNS, AGENCY_UNIT_COLUMNS, UNIT_COLUMNS, Row, parse_table
from dispatch.domain.register_units import check_owners, parse_unit_rules


def read_additions(agencies: Traversable, units: Traversable | None, known: Mapping[str, Agency]) -> list[Agency]:
    """The agencies of a CSV file (a `Path` will do) with the columns of `ministries.csv`.

    `units` are what single agencies have beside the units of their kind, with the columns of `agency_units.csv`; `known` is
    the register as it stands.

    Raises:
        RegisterError: with every fault of every row.
    """
    faults: list[Fault] = []
    lines, unit_lines = _lines(agencies, faults), _lines(units, faults) if units else []
    if faults:
        raise RegisterError(tuple(faults))
    rows = parse_table(agencies.name, lines, AGENCY_COLUMNS, faults)
    unit_rows = parse_table(units.name, unit_lines, AGENCY_UNIT_COLUMNS, faults) if units else []
    if not rows and not faults:
        faults.append(Fault(agencies.name, 0, "it has no agency below its header"))
    return check_additions(rows, unit_rows, known, faults)


def check_additions(
    rows: Iterable[Row],
    units: Sequence[Row],
    known: Mapping[str, Agency],
    faults: list[Fault],
    *,
    whole: Mapping[str, Sequence[Row]] | None = None,
) -> list[Agency]:
    """The agencies of the rows, as they may stand beside the others of `known`; an agency of the same code is replaced.

    Its units stay as they are where nothing is said of them and it is of the same kind and sectors; else it gets those of its kind.
    `units` come beside those of the kind; `whole`, by the agency's code, is all that it has.

    Raises:
        RegisterError: with all `faults`, those found before among them.
    """
    placed = place_agencies(rows)
    unheard: list[Fault] = []  # what is wrong with agencies that stand in the register already is not this change's fault
    others = {code: (row_of(agency, unheard), agency.kind) for code, agency in known.items() if code not in placed}
    check_tiers({**placed, **others})
    bundled = bundled_register()
    own = {row.cells["agency_code"] for row in units}
    defaults = parse_table(UNITS_FILE, _lines(bundled.joinpath(UNITS_FILE), faults), UNIT_COLUMNS, faults)
    shipped = parse_table(AGENCY_UNITS_FILE, _lines(bundled.joinpath(AGENCY_UNITS_FILE), faults), AGENCY_UNIT_COLUMNS, faults)
    kept = [row for row in shipped if row.cells["agency_code"] in placed and row.cells["agency_code"] not in own]
    rules = parse_unit_rules(defaults, [*units, *kept])
    check_owners(rules, placed, faults)
    whole_rules = parse_unit_rules([], [row for rows_ in (whole or {}).values() for row in rows_])
    made = []
    for code, (row, kind) in placed.items():
        if whole is not None and code in whole:
            made.append(agency_of(row, kind, whole_rules))
            continue
        agency, before = agency_of(row, kind, rules), known.get(code)
        same = before is not None and (before.kind, before.sectors) == (agency.kind, agency.sectors)
        made.append(replace(agency, units=before.units) if before and same and code not in own else agency)
    if faults:
        raise RegisterError(tuple(sorted(set(faults))))
    return made


def row_of(agency: Agency, faults: list[Fault]) -> Row:
    """The row that the files would have of an agency."""
    cells = {
        "code": agency.code,
        "name": agency.name,
        "kind": str(agency.kind),
        "region_code": agency.region_code or "",
        "time_zone": agency.time_zone,
        "supervised_by": agency.supervised_by or "",
        "email": agency.email,
        "sectors": ";".join(agency.sectors),
    }
    return Row("the register", 0, cells, faults)


def _lines(file: Traversable, faults: list[Fault]) -> list[str]:
    try:
        return file.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    except (OSError, UnicodeDecodeError) as error:
        faults.append(Fault(file.name, 0, f"can't be read: {error}"))
        return []
