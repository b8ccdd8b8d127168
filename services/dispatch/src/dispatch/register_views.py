"""What anyone may see of the agency register (UU 25/2009: who is responsible, where, and the channels)."""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, Field

from dispatch.adapters.register_store import Tier
from dispatch.domain.register_changes import StoredAgency
from dispatch.domain.register_entries import AgencyKind, UnitKind
from tuntas_contracts.categories import Sector


class UnitView(BaseModel):
    """A unit (unit kerja); `parent` is the code of the unit above it."""

    code: str
    name: str
    kind: UnitKind
    parent: str | None
    sectors: list[Sector]


class ChannelView(BaseModel):
    """A way to reach the agency's complaint desk."""

    kind: Literal["email"]
    address: str


class AgencyView(BaseModel):
    """An agency (instansi). `region_code` is the official region code, null for a national remit."""

    code: str
    name: str
    kind: AgencyKind
    time_zone: str
    region_code: str | None
    supervised_by: str | None
    sectors: list[Sector]
    enabled: bool = Field(description="Whether new cases may go to it")
    channels: list[ChannelView]
    version: str = Field(description="Changes with every change of the entry; what a change of it must be based on")

    @classmethod
    def of(cls, stored: StoredAgency) -> "AgencyView":
        """What is shown of an agency."""
        return cls(**_summary(stored))


class TierView(BaseModel):
    """An agency that stands above (berjenjang)."""

    code: str
    name: str


class AgencyDetail(AgencyView):
    """An agency with its tree of units and who stands above it, the nearest first."""

    units: list[UnitView]
    tiers: list[TierView]

    @classmethod
    def of_stored(cls, stored: StoredAgency, tiers: Sequence[Tier]) -> "AgencyDetail":
        """What is shown of one agency."""
        units = [UnitView(code=u.code, name=u.name, kind=u.kind, parent=u.parent, sectors=list(u.sectors)) for u in stored.agency.units]
        return cls(**_summary(stored), units=units, tiers=[TierView(code=t.code, name=t.name) for t in tiers])


class AgencyPage(BaseModel):
    """A page of the register; `next_cursor` is null on the last page."""

    agencies: list[AgencyView]
    next_cursor: str | None


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
