"""What the agency register holds: agencies (instansi) and their trees of units (unit kerja)."""

from dataclasses import dataclass

from tuntas_contracts.vocabulary import AgencyKind, UnitKind
from tuntas_reference.categories import Sector

TIME_ZONES = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")  # WIB, WITA, WIT


class UnknownUnitError(LookupError):
    """The agency has no unit of that code."""

    def __init__(self, agency: str, unit: str, known: tuple[str, ...]) -> None:
        super().__init__(f"agency {agency!r} has no unit {unit!r}: its units are {', '.join(known)}")
        self.agency = agency
        self.unit = unit


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of an agency; `parent` is the code of the unit above it, None at the top of the tree.

    A `kind` of a later release is a text.
    """

    code: str
    name: str
    kind: UnitKind | str
    sectors: tuple[Sector, ...] = ()
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Agency:
    """A connected agency.

    `region_code` is the Kemendagri code ("32", "32.01"), None for one with a national remit; `supervised_by` the code
    of the next tier up (berjenjang), None for one that answers to nobody in the register; `email` the role mailbox of
    its complaint desk. A `kind` of a later release is a text: the entry is kept, shown and published as it is.
    """

    code: str
    name: str
    kind: AgencyKind | str
    time_zone: str
    email: str
    sectors: tuple[Sector, ...]
    units: tuple[Unit, ...]
    region_code: str | None = None
    supervised_by: str | None = None

    @property
    def place(self) -> str:
        """The region that a regional government governs, such as "Kabupaten Bogor"; else the agency's name."""
        return self.name.removeprefix("Pemerintah ")

    def unit(self, code: str) -> Unit:
        """The unit of that code. Raises `UnknownUnitError`."""
        for unit in self.units:
            if unit.code == code:
                return unit
        raise UnknownUnitError(self.code, code, tuple(unit.code for unit in self.units))

    @property
    def service_desk(self) -> Unit:
        """The unit that takes complaints in."""
        return next(unit for unit in self.units if unit.kind is UnitKind.SERVICE_DESK)

    @property
    def inspectorates(self) -> tuple[Unit, ...]:
        """The units that handle cases with supervision content; at least one."""
        return tuple(unit for unit in self.units if unit.kind is UnitKind.INSPECTORATE)

    def units_for(self, sector: Sector) -> tuple[Unit, ...]:
        """The ordinary units that answer for a sector."""
        return tuple(unit for unit in self.units if unit.kind is UnitKind.ORDINARY and sector in unit.sectors)

    def units_below(self, code: str | None) -> tuple[Unit, ...]:
        """The units directly below a unit; those at the top for None."""
        return tuple(unit for unit in self.units if unit.parent == code)
