"""What anyone may see of the agency register (UU 25/2009: who is responsible, where, and the channels)."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from dispatch.adapters.register_store import Tier
from dispatch.domain.register_changes import StoredAgency
from tuntas_chassis.http.answers import MAX_FEW, MAX_PAGE, Code, Cursor, Line
from tuntas_contracts.open_values import AnyAgencyKind, AnyUnitKind
from tuntas_reference.categories import Sector


class UnitView(BaseModel):
    """A unit (unit kerja); `parent` is the code of the unit above it."""

    code: Code
    name: Line
    kind: AnyUnitKind
    parent: Code | None
    sectors: Annotated[list[Sector], Field(max_length=MAX_FEW)]


class ChannelView(BaseModel):
    """A way to reach the agency's complaint desk."""

    kind: Literal["email"]
    address: Line


class AgencyView(BaseModel):
    """An agency (instansi). `region_code` is the official region code, null for a national remit."""

    code: Code
    name: Line
    kind: AnyAgencyKind
    time_zone: Code
    region_code: Code | None
    supervised_by: Code | None
    sectors: Annotated[list[Sector], Field(max_length=MAX_FEW)]
    enabled: bool = Field(description="Whether new cases may go to it")
    channels: Annotated[list[ChannelView], Field(max_length=MAX_FEW)]
    version: Code = Field(description="Changes with every change of the entry; what a change of it must be based on")

    @classmethod
    def of(cls, stored: StoredAgency) -> "AgencyView":
        """What is shown of an agency."""
        return cls(**_summary(stored))


class TierView(BaseModel):
    """An agency that stands above (berjenjang)."""

    code: Code
    name: Line


class AgencyDetail(AgencyView):
    """An agency with its tree of units and who stands above it, the nearest first."""

    units: Annotated[list[UnitView], Field(max_length=MAX_PAGE)]
    tiers: Annotated[list[TierView], Field(max_length=MAX_FEW)]

    @classmethod
    def of_stored(cls, stored: StoredAgency, tiers: Sequence[Tier]) -> "AgencyDetail":
        """What is shown of one agency."""
        units = [UnitView(code=u.code, name=u.name, kind=u.kind, parent=u.parent, sectors=list(u.sectors)) for u in stored.agency.units]
        return cls(**_summary(stored), units=units, tiers=[TierView(code=t.code, name=t.name) for t in tiers])


class AgencyPage(BaseModel):
    """A page of the register; `next_cursor` is null on the last page."""

    agencies: Annotated[list[AgencyView], Field(max_length=MAX_PAGE)]
    next_cursor: Cursor | None


def _summary(stored: StoredAgency) -> "dict[str, object]":
    agency = stored.agency
    return {
        "code": agency.code,
        "name": agency.name,
        "kind": agency.kind,
        "time_zone": agency.time_zone,
        "region_code": agency.region_code,
        "supervised_by": agency.supervised_by,
        "sectors": list(agency.sectors),
        "enabled": stored.enabled,
        "version": stored.version,
        "channels": [ChannelView(kind="email", address=agency.email)],
    }
