"""A report (laporan) as every service but intake may see it: masked, with no personal data."""

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from tuntas_contracts.base import TEXT_PATTERN, AgencyCode, BusinessTime, Contract, LongText, MediumText, ShortText, Title
from tuntas_contracts.open_values import AnyChannel, AnyOrigin, AnyServiceKind
from tuntas_contracts.vocabulary import Channel, Classification, Origin


def _two_decimals(value: Decimal) -> Decimal:
    # pydantic counts no zeros at the end, of which 240,000 may follow
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -2:
        raise ValueError("it has more than two decimals; write it as 1500000 or 1500000.50")
    return value


RegionCode = Annotated[str, Field(pattern=r"^[0-9]{2}(\.[0-9]{2})?$", max_length=5)]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
IncidentDate = Annotated[date, Field(ge=date(1900, 1, 1), lt=date(2200, 1, 1))]
Rupiah = Annotated[Decimal, Field(ge=0, le=10**15, max_digits=18, decimal_places=2), AfterValidator(_two_decimals)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$", max_length=3)]
"""ISO 639."""


class Place(Contract):
    """Where it happened: official region code (`32` or `32.01`), free text, WGS 84 degrees; each optional."""

    region_code: RegionCode | None = None
    text: Annotated[str, Field(max_length=500, pattern=TEXT_PATTERN)] | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None


class ReportContent(Contract):
    """The report with every identifier of its writer masked. `reporter_ref` is a pseudonym that only intake can resolve."""

    tracking_id: ShortText
    reporter_ref: UUID
    classification: Classification
    title: Title
    body: LongText
    category: ShortText | None = None
    incident_date: IncidentDate | None = None
    place: Place | None = None
    addressed_agency: AgencyCode | None = None
    suggested_agency: AgencyCode | None = None
    service_kind: AnyServiceKind | None = None
    loss_rupiah: Rupiah | None = None
    requested_resolution: MediumText | None = None
    misconduct: bool = False
    anonymous: bool = False
    secret: bool = False
    channel: AnyChannel = Channel.WEB
    language: Language = "id"
    origin: AnyOrigin = Origin.SERVICE_USER
    submitted_at: BusinessTime
    older_than_30_days: bool = False
    profile: ShortText
