"""The agencies as triage needs them, to forward a case and to suggest where it belongs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tuntas_contracts.agencies import AgencyRegistered

MAX_CANDIDATES = 5


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency (instansi) as the register had it at `as_of`. `sectors` are roots of the category tree."""

    code: str
    name: str
    time_zone: str
    enabled: bool
    region_code: str | None
    sectors: tuple[str, ...]
    as_of: datetime

    @classmethod
    def from_entry(cls, entry: AgencyRegistered) -> "Agency":
        """The agency of a register entry."""
        return cls(
            code=entry.code,
            name=entry.name,
            time_zone=entry.time_zone,
            enabled=entry.enabled,
            region_code=entry.region_code,
            sectors=entry.sectors,
            as_of=entry.occurred_at,
        )


class Register(Protocol):
    """The register of agencies (daftar instansi) as known here."""

    def get(self, code: str) -> Agency | None:
        """The agency of that code, enabled or not."""
        ...

    def enabled(self) -> Iterable[Agency]:
        """Every agency that takes cases."""
        ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """An agency that may be competent, and what speaks for it."""

    agency: Agency
    because: str


def candidates(register: Register, *, suggested: str | None, category: str | None, region_code: str | None) -> list[Candidate]:
    """Hints for the verifier: the reporter's own suggestion first, then the nearest government of the place, then the sector."""
    found: dict[str, Candidate] = {}
    hinted = register.get(suggested) if suggested else None
    if hinted is not None and hinted.enabled:
        found[hinted.code] = Candidate(hinted, "suggested_by_reporter")
    sector = category.partition(".")[0] if category else None
    regional: list[Agency] = []
    sectoral: list[Agency] = []
    for agency in register.enabled():
        if region_code and agency.region_code and region_code.startswith(agency.region_code):
            regional.append(agency)
        elif sector and agency.region_code is None and sector in agency.sectors:
            sectoral.append(agency)
    regional.sort(key=lambda agency: (-len(agency.region_code or ""), agency.code))
    sectoral.sort(key=lambda agency: (len(agency.sectors), agency.code))
    for agency in regional:
        found.setdefault(agency.code, Candidate(agency, "region"))
    for agency in sectoral:
        found.setdefault(agency.code, Candidate(agency, "sector"))
    return list(found.values())[:MAX_CANDIDATES]
