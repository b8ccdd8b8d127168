"""A report (laporan) as every service but intake may see it: masked, with no personal data."""

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from tuntas_contracts.base import AgencyCode, Contract, ShortText
from tuntas_contracts.vocabulary import Channel, Classification, Origin, ServiceKind


class Place(Contract):
    """Where it happened: official region code (`32` or `32.01`), free text, WGS 84 degrees; each optional."""

    region_code: Annotated[str, Field(pattern=r"^\d{2}(\.\d{2})?$")] | None = None
    text: Annotated[str, Field(max_length=500)] | None = None
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None


class ReportContent(Contract):
    """The report with every identifier of its writer masked. `reporter_ref` is a pseudonym that only intake can resolve."""

    tracking_id: ShortText
    reporter_ref: UUID
    classification: Classification
    title: Annotated[str, Field(min_length=1, max_length=300)]
    body: Annotated[str, Field(min_length=1, max_length=20_000)]
    category: ShortText | None = None
    incident_date: date | None = None
    place: Place | None = None
    addressed_agency: AgencyCode | None = None
    suggested_agency: AgencyCode | None = None
    service_kind: ServiceKind | None = None
    loss_rupiah: Annotated[Decimal, Field(ge=0)] | None = None
    requested_resolution: Annotated[str, Field(max_length=2_000)] | None = None
    misconduct: bool = False
    anonymous: bool = False
    secret: bool = False
    channel: Channel = Channel.WEB
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] = "id"
    origin: Origin = Origin.SERVICE_USER
    submitted_at: AwareDatetime
    older_than_30_days: bool = False
    profile: ShortText
