"""The agency register (daftar instansi): who is connected, who stands above whom, which units they have."""

from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable

from dispatch.domain.register_checks import check_agency, check_tiers
from dispatch.domain.register_entries import TIME_ZONES, Agency, Unit, UnknownUnitError
from dispatch.domain.register_faults import Fault, RegisterError
from dispatch.domain.register_tables import (
    AGENCY_COLUMNS,
    AGENCY_UNIT_COLUMNS,
    UNIT_COLUMNS,
    Row,
    parse_table,
)
from dispatch.domain.register_units import UnitRules, check_owners, parse_unit_rules
from tuntas_contracts.vocabulary import AgencyKind

__all__ = [
    "AGENCY_FILES",
    "REGISTER_FILES",
    "TIME_ZONES",
    "Agency",
    "Fault",
    "Register",
    "RegisterError",
    "Unit",
    "UnknownAgencyError",
    "UnknownUnitError",
    "bundled_register",
    "load_register",
    "parse_register",
]

AGENCY_FILES = ("ministries.csv", "bodies.csv", "enterprises.csv", "provinces.csv", "regencies.csv")
UNITS_FILE = "units.csv"
AGENCY_UNITS_FILE = "agency_units.csv"
REGISTER_FILES = (*AGENCY_FILES, UNITS_FILE, AGENCY_UNITS_FILE)


class UnknownAgencyError(LookupError):
    """The register has no agency of that code."""

    def __init__(self, code: str) -> None:
        super().__init__(f"no agency {code!r} in the register: take the code from the list of agencies")
        self.code = code


class Register:
    """All agencies, in the order of the files. Immutable."""

    __slots__ = ("_agencies",)

    def __init__(self, agencies: Iterable[Agency]) -> None:
        self._agencies = {agency.code: agency for agency in agencies}

    def __iter__(self) -> Iterator[Agency]:
        return iter(self._agencies.values())

    def __len__(self) -> int:
        return len(self._agencies)

    def __contains__(self, code: object) -> bool:
        return code in self._agencies

    def get(self, code: str) -> Agency:
        """The agency of that code. Raises `UnknownAgencyError`."""
        try:
            return self._agencies[code]
        except KeyError:
            raise UnknownAgencyError(code) from None

    def of_kind(self, *kinds: AgencyKind) -> tuple[Agency, ...]:
        """The agencies of these kinds."""
        return tuple(agency for agency in self if agency.kind in kinds)

    def tiers(self, code: str) -> tuple[Agency, ...]:
        """Who stands above an agency (berjenjang), the nearest first, itself left out. Raises `UnknownAgencyError`."""
        above: list[Agency] = []
        agency = self.get(code)
        while agency.supervised_by is not None:
            agency = self.get(agency.supervised_by)
            above.append(agency)
        return tuple(above)


def bundled_register() -> Traversable:
    """The folder of the register that comes with this service."""
    return files("dispatch").joinpath("data", "register")


def load_register(folder: Traversable | None = None) -> Register:
    """The register in a folder (a `Path` will do), the bundled one if none is given. Raises `RegisterError`."""
    source = bundled_register() if folder is None else folder
    lines: dict[str, list[str]] = {}
    faults: list[Fault] = []
    for name in REGISTER_FILES:
        try:
            lines[name] = source.joinpath(name).read_text(encoding="utf-8-sig").splitlines(keepends=True)
        except (OSError, UnicodeDecodeError) as error:
            faults.append(Fault(name, 0, f"can't be read: {error}"))
    if faults:
        raise RegisterError(tuple(faults))
    return parse_register(lines)


def parse_register(files_: Mapping[str, Iterable[str]]) -> Register:
    """The register in the lines of the files named in `REGISTER_FILES`. Raises `RegisterError` with every fault."""
    faults: list[Fault] = []
    rules = parse_unit_rules(
        parse_table(UNITS_FILE, files_[UNITS_FILE], UNIT_COLUMNS, faults),
        parse_table(AGENCY_UNITS_FILE, files_[AGENCY_UNITS_FILE], AGENCY_UNIT_COLUMNS, faults),
    )
    placed = place_agencies(row for name in AGENCY_FILES for row in parse_table(name, files_[name], AGENCY_COLUMNS, faults))
    check_tiers(placed)
    check_owners(rules, placed, faults)
    agencies = [agency_of(row, kind, rules) for row, kind in placed.values()]
    if faults:
        raise RegisterError(tuple(sorted(set(faults))))
    return Register(agencies)


def place_agencies(rows: Iterable[Row]) -> dict[str, tuple[Row, AgencyKind]]:
    """The rows by code, each checked for itself; one whose kind or code can't be used is left out with its fault."""
    placed: dict[str, tuple[Row, AgencyKind]] = {}
    for row in rows:
        code, kind = row.code("code"), row.member("kind", AgencyKind)
        row.text("name")
        if kind is None:
            continue
        check_agency(row, kind)
        if code in placed:
            first = placed[code][0]
            row.fault(f"code {code!r} is already that of {first.file}:{first.line}")
        else:
            placed[code] = (row, kind)
    return placed


def agency_of(row: Row, kind: AgencyKind, rules: UnitRules) -> Agency:
    """The agency of a row, with the units that the rules give it."""
    code, sectors = row.cells["code"], row.sectors()
    return Agency(
        code=code,
        name=row.cells["name"],
        kind=kind,
        time_zone=row.cells["time_zone"],
        email=row.cells["email"],
        sectors=sectors,
        units=rules.units_of(code, kind, sectors, row),
        region_code=row.optional("region_code"),
        supervised_by=row.optional("supervised_by"),
    )
