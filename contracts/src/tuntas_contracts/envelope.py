"""CloudEvents 1.0 in Kafka's binary mode: attributes in `ce_*` headers, data as JSON in the value."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

TYPE_PREFIX = "id.tuntas."
MAX_NAMES_LENGTH = 1_024
"""How many characters type, source and subject have at most together; every other attribute has a form that bounds it."""
MAX_HEADERS = 100
"""How many headers a message has at most, those of others included."""
Headers = Iterable[tuple[str, bytes]]


class EnvelopeError(ValueError):
    """The headers of a record are not a CloudEvents 1.0 envelope; the message names the attribute."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """The attributes of a message. `time` is the business time; `traceparent` the W3C trace context, or empty."""

    id: UUID
    source: str
    type: str
    subject: str
    time: datetime
    traceparent: str = ""

    def headers(self) -> list[tuple[str, bytes]]:
        """The Kafka headers of this envelope."""
        found = [
            ("ce_specversion", b"1.0"),
            ("ce_id", str(self.id).encode()),
            ("ce_source", self.source.encode()),
            ("ce_type", (TYPE_PREFIX + self.type).encode()),
            ("ce_subject", self.subject.encode()),
            ("ce_time", self.time.isoformat().encode()),
            ("content-type", b"application/json"),
        ]
        if self.traceparent:
            found.append(("traceparent", self.traceparent.encode()))
        return found

    @classmethod
    def read(cls, headers: Headers) -> "Envelope":
        """The envelope that these headers carry; raises EnvelopeError."""
        raw = dict(headers)
        version = _text(raw, "ce_specversion")
        if version != "1.0":
            raise EnvelopeError(f"ce_specversion is {version!r}; this platform reads CloudEvents 1.0")
        kind = _text(raw, "ce_type")
        if not kind.startswith(TYPE_PREFIX):
            raise EnvelopeError(f"ce_type {kind[:80]!r} does not begin with {TYPE_PREFIX!r}")
        source, subject = _text(raw, "ce_source"), _text(raw, "ce_subject")
        if len(kind) + len(source) + len(subject) > MAX_NAMES_LENGTH:
            raise EnvelopeError(f"ce_type, ce_source and ce_subject have more than {MAX_NAMES_LENGTH} characters together")
        written_id, written_time = _text(raw, "ce_id"), _text(raw, "ce_time")
        try:
            identity = UUID(written_id)
        except ValueError as error:
            raise EnvelopeError("ce_id is not a UUID") from error
        try:
            time = datetime.fromisoformat(written_time)
        except ValueError as error:
            raise EnvelopeError("ce_time is not an RFC 3339 time") from error
        if time.tzinfo is None:
            raise EnvelopeError("ce_time has no time zone")
        return cls(
            id=identity,
            source=source,
            type=kind.removeprefix(TYPE_PREFIX),
            subject=subject,
            time=time,
            traceparent=_text(raw, "traceparent") if "traceparent" in raw else "",
        )


def _text(raw: Mapping[str, bytes], name: str) -> str:
    try:
        value = raw[name]
    except KeyError as error:
        raise EnvelopeError(f"header {name} is missing") from error
    try:
        return value.decode()
    except (UnicodeDecodeError, AttributeError) as error:
        raise EnvelopeError(f"header {name} is not UTF-8 text") from error
