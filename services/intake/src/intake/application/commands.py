"""What a use case takes: a report as it is submitted, and the texts of which requests are made. Valid once it is made."""

import re
from datetime import UTC, datetime
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from intake.domain.contacts import normalised_phone
from intake.domain.submission import is_manual
from tuntas_chassis.email_addresses import EmailAddress
from tuntas_contracts.base import AgencyCode, BusinessTime
from tuntas_contracts.reports import IncidentDate, Language, Latitude, Longitude, RegionCode, Rupiah
from tuntas_contracts.texts.normalisation import visible
from tuntas_contracts.vocabulary import Channel, Classification, Origin, ServiceKind
from tuntas_reference.categories import load_categories

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_CONTROL_OR_BREAK: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def _text(value: str) -> str:
    if _CONTROL.search(value):
        raise ValueError("it holds control characters, such as NUL; remove them")
    return visible(value)


def _line(value: str) -> str:
    if _CONTROL_OR_BREAK.search(value):
        raise ValueError("it holds line breaks or control characters; write it on one line")
    return _text(value)


def _utc(time: datetime) -> datetime:
    return time.astimezone(UTC)


def _category(code: str) -> str:
    if code not in load_categories():
        raise ValueError("no such category; take a code of the category tree, such as health or health.hospitals, or leave it out")
    return code


Line200 = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_line)]
# Masks can be twice as long as what they hide, and the contracts' limits hold for masked texts: half of them is taken here.
Title = Annotated[str, Field(min_length=1, max_length=150), AfterValidator(_line)]
Body = Annotated[str, Field(min_length=1, max_length=10_000), AfterValidator(_text)]
Resolution = Annotated[str, Field(min_length=1, max_length=1_000), AfterValidator(_text)]
PlaceText = Annotated[str, Field(min_length=1, max_length=250), AfterValidator(_text)]
Address = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_text)]
Reason = Annotated[str, Field(min_length=10, max_length=500), AfterValidator(_text)]
Phone = Annotated[str, Field(min_length=5, max_length=30), AfterValidator(_line), AfterValidator(normalised_phone)]
Nik = Annotated[str, Field(pattern=r"^[0-9]{16}$", max_length=16, description="Nomor induk kependudukan: 16 digits")]
Category = Annotated[str, Field(max_length=100), AfterValidator(_category)]


class Request(BaseModel):
    """A request body: strict about types, and a field that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class PlaceOfIncident(Request):
    """Where it happened: official region code (`32` or `32.01`), free text, WGS 84 degrees; each optional."""

    region_code: RegionCode | None = None
    text: PlaceText | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None


class ReporterDetails(Request):
    """Who reports. What is given is encrypted, and agencies never get it over Kafka."""

    name: Line200 | None = None
    email: EmailAddress | None = None
    phone: Phone | None = Field(default=None, description="Read as Indonesian where it names no country; kept as E.164")
    nik: Nik | None = None
    address: Address | None = None

    @property
    def has_contact(self) -> bool:
        """Whether an answer can reach the reporter."""
        return self.email is not None or self.phone is not None


class SubmitReport(Request):
    """A report (laporan). Classification, title and body are required, and one contact unless an officer enters what came by hand."""

    classification: Classification
    title: Title
    body: Body
    channel: Channel = Field(default=Channel.WEB, description="Other channels than web and mobile need a clerk's token")
    reporter: ReporterDetails = Field(
        default=ReporterDetails(),
        validate_default=True,
        description="An e-mail address or a phone number is needed over the channels web and mobile",
    )
    category: Category | None = None
    incident_date: IncidentDate | None = None
    place: PlaceOfIncident | None = None
    addressed_agency: AgencyCode | None = Field(default=None, description="The report goes to this agency itself")
    suggested_agency: AgencyCode | None = Field(default=None, description="A hint for the national administrator")
    service_kind: ServiceKind | None = None
    loss_rupiah: Rupiah | None = None
    requested_resolution: Resolution | None = None
    misconduct: bool = Field(default=False, description="An official abused a position")
    anonymous: bool = Field(default=False, description="Anonim: the public and the agency never learn who reported")
    secret: bool = Field(default=False, description="Rahasia: the public never sees the report")
    language: Language = "id"
    origin: Origin = Origin.SERVICE_USER
    original_received_at: Annotated[BusinessTime, AfterValidator(_utc)] | None = Field(
        default=None, description="Manual channels only: when the report was received by hand, at most 366 days back. Default: now"
    )

    @field_validator("reporter")
    @classmethod
    def _reachable(cls, reporter: ReporterDetails, others: ValidationInfo) -> ReporterDetails:
        channel = others.data.get("channel")
        if channel is not None and not is_manual(channel) and not reporter.has_contact:
            raise ValueError("give an e-mail address or a phone number, so that the answer can reach the reporter")
        return reporter

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.addressed_agency is not None and self.suggested_agency is not None:
            raise ValueError("give addressed_agency or suggested_agency, not both")
        if self.original_received_at is not None and not is_manual(self.channel):
            raise ValueError("original_received_at is for reports received by hand; leave it out or name the channel")
        return self
