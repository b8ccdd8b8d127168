"""The units of agencies: default trees by agency kind, and what single agencies have besides."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from dispatch.domain.register_entries import Unit
from dispatch.domain.register_faults import Fault
from dispatch.domain.register_tables import ALL_SECTORS, Row
from tuntas_contracts.vocabulary import AgencyKind, UnitKind
from tuntas_reference.categories import Sector


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A unit as written; `takes_all`: it answers for whatever sectors its agency does ("*")."""

    unit: Unit
    takes_all: bool
    row: Row

    def of(self, sectors: tuple[Sector, ...]) -> Unit:
        """The unit in an agency that answers for these sectors."""
        return replace(self.unit, sectors=sectors) if self.takes_all else self.unit


def _parse_unit(row: Row) -> UnitRow | None:
    kind = row.member("kind", UnitKind)
    takes_all = row.cells["sectors"] == ALL_SECTORS
    sectors = () if takes_all else row.sectors()
    code, name = row.code("code"), row.text("name")
    if kind is None:
        return None
    if kind is UnitKind.ORDINARY and not takes_all and not sectors:
        row.fault(f"unit {code!r} answers for no sector: name some, or * for all of its agency's")
    return UnitRow(Unit(code, name, kind, sectors, row.optional("parent")), takes_all, row)


@dataclass(slots=True)
class UnitRules:
    """Gives each agency its units. Agencies of one kind with the same sectors share theirs."""

    by_kind: dict[AgencyKind, list[UnitRow]] = field(default_factory=dict)
    by_agency: dict[str, list[UnitRow]] = field(default_factory=dict)
    _shared: dict[tuple[AgencyKind, tuple[Sector, ...]], tuple[Unit, ...]] = field(default_factory=dict)

    def units_of(self, code: str, kind: AgencyKind, sectors: tuple[Sector, ...], row: Row) -> tuple[Unit, ...]:
        """The units of an agency; what they lack is a fault of the agency's `row`."""
        extra = self.by_agency.get(code)
        if extra is None and (shared := self._shared.get((kind, sectors))) is not None:
            return shared
        rows = [*self.by_kind.get(kind, ()), *(extra or ())]
        units = tuple(unit.of(sectors) for unit in rows)
        if extra:
            _check_tree(rows)
        else:
            self._shared[kind, sectors] = units
        for needed in (UnitKind.SERVICE_DESK, UnitKind.INSPECTORATE):
            if not any(unit.kind is needed for unit in units):
                row.fault(f"agency {code!r} has no unit of kind {needed}: add one for kind {kind} to units.csv")
        covered = {sector for unit in units if unit.kind is UnitKind.ORDINARY for sector in unit.sectors}
        if missing := [sector for sector in sectors if sector not in covered]:
            row.fault(f"no ordinary unit of agency {code!r} answers for {', '.join(missing)}")
        if foreign := sorted(covered.difference(sectors)):
            row.fault(f"units of agency {code!r} answer for {', '.join(foreign)}, which the agency does not")
        return units


def parse_unit_rules(defaults: Iterable[Row], additions: Iterable[Row]) -> UnitRules:
    """The rules of units.csv and agency_units.csv; what is wrong is noted on the rows."""
    rules = UnitRules()
    for row in defaults:
        kind = row.member("agency_kind", AgencyKind)
        unit = _parse_unit(row)
        if kind and unit:
            rules.by_kind.setdefault(kind, []).append(unit)
    for units in rules.by_kind.values():
        _check_tree(units)
    for row in additions:
        if unit := _parse_unit(row):
            rules.by_agency.setdefault(row.cells["agency_code"], []).append(unit)
    return rules


def check_owners(rules: UnitRules, agencies: Iterable[str], faults: list[Fault]) -> None:
    """Units of agencies that are not in the register are faults."""
    known = set(agencies)
    for code, units in rules.by_agency.items():
        if code not in known:
            faults.extend(Fault(unit.row.file, unit.row.line, f"agency_code {code!r} is not in the register") for unit in units)


def _check_tree(rows: list[UnitRow]) -> None:
    parents: dict[str, str | None] = {}
    for given in rows:
        unit = given.unit
        if unit.code in parents:
            given.row.fault(f"unit {unit.code!r} is given twice for the same agency")
        parents[unit.code] = unit.parent
    for given in rows:
        unit = given.unit
        if unit.parent is not None and unit.parent not in parents:
            given.row.fault(f"parent {unit.parent!r} of unit {unit.code!r} is no unit of the same agency")
            continue
        seen, above = {unit.code}, unit.parent
        while above is not None and above not in seen:
            seen.add(above)
            above = parents.get(above)
        if above == unit.code:
            given.row.fault(f"unit {unit.code!r} stands above itself: correct the parents")
