"""CloudEvents 1.0 in Kafka's binary mode: attributes in `ce_*` headers, data as JSON in the value."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

TYPE_PREFIX = "id.tuntas."
MAX_NAMES_LENGTH = 1_024
"""How many characters type, source and subject have at most together; every other attribute has a form that bounds it."""
MAX_HEADERS = 100
"""How many headers a message has at most, those of others included."""
_REQUIRED = ("ce_specversion", "ce_type", "ce_source", "ce_subject", "ce_id", "ce_time")
Headers = Iterable[tuple[str, bytes]]


class EnvelopeError(ValueError):
    """The headers of a record are not a CloudEvents 1.0 envelope; the message names the attribute."""


class Envelope(NamedTuple):
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
        try:
            version, kind, source, subject, written_id, written_time = [raw[name].decode() for name in _REQUIRED]
            traceparent = raw["traceparent"].decode() if "traceparent" in raw else ""
        except (KeyError, UnicodeDecodeError, AttributeError):
            raise EnvelopeError(_fault(raw)) from None
        if version != "1.0":
            raise EnvelopeError(f"ce_specversion is {version!r}; this platform reads CloudEvents 1.0")
        if not kind.startswith(TYPE_PREFIX):
            raise EnvelopeError(f"ce_type {kind[:80]!r} does not begin with {TYPE_PREFIX!r}")
        if len(kind) + len(source) + len(subject) > MAX_NAMES_LENGTH:
            raise EnvelopeError(f"ce_type, ce_source and ce_subject have more than {MAX_NAMES_LENGTH} characters together")
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
            traceparent=traceparent,
        )


def _fault(raw: Mapping[str, bytes]) -> str:
    """What is wrong with headers that are not all there as text."""
    for name in _REQUIRED:
        if name not in raw:
            return f"header {name} is missing"
    broken = next(name for name in (*_REQUIRED, "traceparent") if not _is_text(raw.get(name, b"")))
    return f"header {broken} is not UTF-8 text"


def _is_text(value: bytes | None) -> bool:
    if value is None:
        return False
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
