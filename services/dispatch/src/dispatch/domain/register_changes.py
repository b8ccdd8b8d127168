"""Changes of the register: decided against the register as it stands, all of them or none."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Final, Literal

from dispatch.domain.register_additions import check_additions, row_of
from dispatch.domain.register_entries import Agency, Unit
from dispatch.domain.register_faults import Fault, RegisterError
from dispatch.domain.register_tables import Row
from tuntas_contracts.agencies import AgencyRegistered
from tuntas_reference.categories import Sector

Outcome = Literal["added", "changed", "enabled again", "disabled", "unchanged"]
_VERSION_LENGTH: Final = 20


@dataclass(frozen=True, slots=True)
class StoredAgency:
    """An entry of the register as it is stored; a disabled agency gets no more cases. `changed_at` says when it came to be so."""

    agency: Agency
    enabled: bool
    changed_at: datetime | None = field(default=None, compare=False)

    @property
    def fields(self) -> dict[str, object]:
        """Everything that can change of it, as JSON keeps it."""
        return {**fields_of(self.agency), "enabled": self.enabled}

    @property
    def version(self) -> str:
        """A fingerprint of everything that can change of it: the same content has the same version, also after a restore."""
        content = json.dumps(self.fields, sort_keys=True, separators=(",", ":"))
        return sha256(content.encode()).hexdigest()[:_VERSION_LENGTH]


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes the register, and why. `subject` is what the identity provider calls the person."""

    subject: str
    reason: str


@dataclass(frozen=True, slots=True)
class Change:
    """One agency, before (None: it is new) and after."""

    before: StoredAgency | None
    after: StoredAgency

    @property
    def code(self) -> str:
        """The agency's code."""
        return self.after.agency.code

    @property
    def outcome(self) -> Outcome:
        """What came of it."""
        if self.before is None:
            return "added"
        if self.before == self.after:
            return "unchanged"
        if self.before.enabled != self.after.enabled:
            return "enabled again" if self.after.enabled else "disabled"
        return "changed"

    def differences(self) -> tuple[dict[str, object] | None, dict[str, object]]:
        """The fields that changed, as they were and as they are; everything of an agency that is new."""
        after = self.after.fields
        if self.before is None:
            return None, after
        before = self.before.fields
        changed = [name for name in after if after[name] != before[name]]
        return {name: before[name] for name in changed}, {name: after[name] for name in changed}


@dataclass(frozen=True, slots=True)
class Wanted:
    """An agency as somebody wants it.

    `cells` are named as the columns of the register's files. `units` is the whole tree, by cells of the units' file; None leaves the
    units as they are, or gives those of its kind to an agency that is new or of another kind or other sectors. `version` is that of the
    entry which this was made from, None for an agency that must be new.
    """

    cells: Mapping[str, str]
    units: Sequence[Mapping[str, str]] | None
    enabled: bool
    version: str | None

    def leaves(self, agency: Agency) -> bool:
        """Whether nothing of it changes but, perhaps, that it gets cases: that is possible whatever else is wrong with an old entry."""
        return self.units is None and self.cells == cells_of(agency)


class StaleVersion(ValueError):
    """Agencies were changed since they were read, or entered as new although they are there."""

    def __init__(self, codes: Sequence[str]) -> None:
        super().__init__(f"changed by somebody else since you read them: {', '.join(codes)}; read them again, and decide again")
        self.codes = codes


def decide(wanted: Sequence[Wanted], known: Mapping[str, StoredAgency]) -> Sequence[Change]:
    """What is to be written, an entry for each of `wanted`, those that change nothing among them.

    What is already as it is wanted is no conflict, whatever version it was made from: a repeated request is harmless.

    Raises:
        RegisterError: with everything that is wrong with them, by the agency's code.
        StaleVersion: nothing is wrong, but some were changed meanwhile.
    """
    codes = Counter(one.cells["code"] for one in wanted)
    if twice := [Fault(code, 0, "is given twice: say it once") for code, number in codes.items() if number > 1]:
        raise RegisterError(tuple(twice))
    agencies = {code: stored.agency for one in wanted if (stored := known.get(code := one.cells["code"])) and one.leaves(stored.agency)}
    agencies |= {agency.code: agency for agency in _checked([one for one in wanted if one.cells["code"] not in agencies], known)}
    changes = [Change(known.get(code := one.cells["code"]), StoredAgency(agencies[code], one.enabled)) for one in wanted]
    stale = [
        change.code
        for change, one in zip(changes, wanted, strict=True)
        if change.before != change.after and one.version != (change.before.version if change.before else None)
    ]
    if stale:
        raise StaleVersion(stale)
    return changes


def read_back(stored: StoredAgency | None, event: AgencyRegistered) -> StoredAgency | None:
    """The entry of an event of the register's topic, where it is later than what is stored; None where it is not.

    Events of former releases do not name units' parents: those that are stored stand in.
    """
    if stored is not None and stored.changed_at is not None and event.occurred_at <= stored.changed_at:
        return None
    parents = {unit.code: unit.parent for unit in stored.agency.units} if stored else {}
    agency = Agency(
        code=event.code,
        name=event.name,
        kind=event.kind,
        time_zone=event.time_zone,
        email=event.email,
        sectors=tuple(Sector(sector) for sector in event.sectors),
        units=tuple(
            Unit(
                u.code,
                u.name,
                u.kind,
                tuple(Sector(sector) for sector in u.sectors),
                u.parent if "parent" in u.model_fields_set else parents.get(u.code),
            )
            for u in event.units
        ),
        region_code=event.region_code,
        supervised_by=event.supervised_by,
    )
    return StoredAgency(agency, event.enabled, event.occurred_at)


def _checked(wanted: Sequence[Wanted], known: Mapping[str, StoredAgency]) -> Sequence[Agency]:
    faults: list[Fault] = []
    rows = [Row(one.cells["code"], 0, dict(one.cells), faults) for one in wanted]
    whole = {
        one.cells["code"]: [Row(one.cells["code"], 0, {**unit, "agency_code": one.cells["code"]}, faults) for unit in one.units]
        for one in wanted
        if one.units is not None
    }
    return check_additions(rows, [], {code: stored.agency for code, stored in known.items()}, faults, whole=whole)


def cells_of(agency: Agency) -> dict[str, str]:
    """The cells of an agency, as its row in the files would have them."""
    return row_of(agency, []).cells


def fields_of(agency: Agency) -> dict[str, object]:
    """What the register says of an agency, as JSON keeps it, to be compared field by field."""
    return {
        "name": agency.name,
        "kind": str(agency.kind),
        "time_zone": agency.time_zone,
        "region_code": agency.region_code,
        "supervised_by": agency.supervised_by,
        "email": agency.email,
        "sectors": [sector.value for sector in agency.sectors],
        "units": [
            {"code": u.code, "name": u.name, "kind": str(u.kind), "sectors": [s.value for s in u.sectors], "parent": u.parent}
            for u in agency.units
        ],
    }
