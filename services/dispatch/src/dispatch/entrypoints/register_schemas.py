"""What operators send to change the register, and what they and auditors see of the changes."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from dispatch.adapters.register_audit import ChangeRecord
from dispatch.domain.register_changes import Change, Outcome, StoredAgency, Wanted, cells_of
from tuntas_chassis.http.answers import MAX_FEW, MAX_PAGE, Code, Cursor, Line, Moment, Total
from tuntas_contracts.base import TEXT_PATTERN, AgencyCode
from tuntas_contracts.texts.normalisation import visible
from tuntas_contracts.vocabulary import AgencyKind, UnitKind
from tuntas_reference.categories import Sector

Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$"), AfterValidator(visible)]
Mailbox = Annotated[str, Field(min_length=3, max_length=200, pattern=r"^[^\x00-\x20]+$", description="Of its complaint desk")]
Reason = Annotated[
    str, Field(min_length=1, max_length=500, pattern=TEXT_PATTERN, description="Why, for the audit; never anything personal"),
    AfterValidator(visible),
]  # fmt: skip
TimeZone = Literal["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"]
Region = Annotated[str, Field(pattern=r"^[0-9]{2}(\.[0-9]{2})?$", max_length=5, description="Official region code")]
UnitCode = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,38}$", max_length=39)]
Sectors = Annotated[list[Sector], Field(max_length=14)]
EntryVersion = Annotated[str, Field(pattern=r"^[0-9a-f]{20}$", max_length=20)]
_REQUIRED = ("name", "kind", "time_zone", "email", "sectors", "units", "enabled")


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class UnitEntry(_Request):
    """A unit; `parent` is the code of the unit above it."""

    code: UnitCode
    name: Name
    kind: UnitKind
    parent: UnitCode | None = None
    sectors: Sectors = []

    @property
    def cells(self) -> dict[str, str]:
        """As the register's files have it."""
        cells = {"code": self.code, "name": self.name, "kind": self.kind.value, "parent": self.parent or ""}
        return cells | {"sectors": ";".join(self.sectors)}


Units = Annotated[
    list[UnitEntry],
    Field(min_length=1, max_length=400, description="All units, in order: one service desk and inspectorate at least, and ordinary "
          "units that answer for all sectors of the agency"),
]  # fmt: skip


class AgencyEntry(_Request):
    """An agency as it is to stand in the register, enabled."""

    code: AgencyCode
    name: Name
    kind: AgencyKind
    time_zone: TimeZone
    region_code: Region | None = None
    supervised_by: AgencyCode | None = None
    email: Mailbox
    sectors: Sectors
    units: Units | None = Field(default=None, description="Left out: as they are, or for a new agency those of its kind")
    version: EntryVersion | None = Field(default=None, description="That which you read; left out for an agency that is new")

    def wanted(self) -> Wanted:
        """What is asked for."""
        cells = {
            "code": self.code,
            "name": self.name,
            "kind": self.kind.value,
            "region_code": self.region_code or "",
            "time_zone": self.time_zone,
            "supervised_by": self.supervised_by or "",
            "email": self.email,
            "sectors": ";".join(self.sectors),
        }
        return Wanted(cells, None if self.units is None else [unit.cells for unit in self.units], enabled=True, version=self.version)


class EnterAgencies(_Request):
    """Agencies to bring in or change: all or none."""

    reason: Reason
    agencies: Annotated[list[AgencyEntry], Field(min_length=1, max_length=1_000)]


class ChangeAgency(_Request):
    """What is to change of one agency; what is left out stays. Only `region_code` and `supervised_by` may be null: none."""

    reason: Reason
    name: Name | None = None
    kind: AgencyKind | None = None
    time_zone: TimeZone | None = None
    region_code: Region | None = None
    supervised_by: AgencyCode | None = None
    email: Mailbox | None = None
    sectors: Sectors | None = None
    units: Units | None = None
    enabled: bool | None = Field(default=None, description="false: it gets no more cases; its open ones stay with it")

    @model_validator(mode="after")
    def _says_something(self) -> "ChangeAgency":
        given = self.model_fields_set - {"reason"}
        if not given:
            raise ValueError("name at least one field to change")
        if missing := [name for name in _REQUIRED if name in given and getattr(self, name) is None]:
            raise ValueError(f"{', '.join(missing)} can't be null: leave out what is to stay")
        return self

    def wanted(self, stored: StoredAgency, version: str) -> Wanted:
        """What is asked for of an agency as it is stored, by somebody who read `version` of it."""
        given = {name: getattr(self, name) for name in self.model_fields_set - {"reason", "units", "enabled"}}
        cells = cells_of(stored.agency) | {name: ";".join(v) if isinstance(v, list) else v or "" for name, v in given.items()}
        units = None if self.units is None else [unit.cells for unit in self.units]
        return Wanted(cells, units, stored.enabled if self.enabled is None else self.enabled, version)


class EnteredAgency(BaseModel):
    """What came of one agency."""

    code: Code
    outcome: Outcome
    version: Code

    @classmethod
    def of(cls, change: Change) -> "EnteredAgency":
        """What is shown of a change."""
        return cls(code=change.code, outcome=change.outcome, version=change.after.version)


class EnteredAgencies(BaseModel):
    """What came of each agency, in the order in which they were given."""

    agencies: Annotated[list[EnteredAgency], Field(max_length=MAX_PAGE)]


Fields = Annotated[dict[Code, Any], Field(max_length=MAX_FEW)]
"""Fields of an entry, as `AgencyEntry` bounded them."""


class ChangeView(BaseModel):
    """A change of one agency: the fields that changed, as they were (null: the agency was new) and as they are."""

    id: Total
    at: Moment
    subject: Line = Field(description="Who, as the identity provider names them; load-register for the files of a release")
    reason: Line
    code: Code
    before: Fields | None
    after: Fields

    @classmethod
    def of(cls, record: ChangeRecord) -> "ChangeView":
        """What is shown of a line."""
        return cls(**{name: getattr(record, name) for name in cls.model_fields})


class ChangePage(BaseModel):
    """Changes, oldest first; `next_cursor` is null on the last page."""

    changes: Annotated[list[ChangeView], Field(max_length=MAX_PAGE)]
    next_cursor: Cursor | None
