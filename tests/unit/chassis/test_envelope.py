"""CloudEvents 1.0 in Kafka's binary mode: what we write we read, and what is not one is refused with a name for the fault."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.chassis.builders import A_TRACE, Headers, any_headers, envelope
from tuntas_contracts.envelope import Envelope, EnvelopeError

MANDATORY = ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time"]
times = st.integers(-(10**15), 10**17).map(lambda n: datetime(1970, 1, 1, tzinfo=UTC) + n * timedelta(microseconds=1))


@given(st.uuids(), st.text(max_size=50), st.text(min_size=1, max_size=50), st.text(max_size=50), times, st.sampled_from(["", A_TRACE]))
def test_what_is_written_is_read(identity: object, source: str, kind: str, subject: str, time: datetime, traceparent: str) -> None:
    written = envelope(id=identity, source=source, type=kind, subject=subject, time=time, traceparent=traceparent)
    assert Envelope.read(written.headers()) == written


def test_the_headers_are_those_of_the_standard() -> None:
    found = dict(envelope(traceparent=A_TRACE).headers())
    assert found.keys() == {*MANDATORY, "content-type", "traceparent"}
    assert (found["ce_specversion"], found["ce_type"], found["content-type"]) == (b"1.0", b"id.tuntas.Added", b"application/json")
    assert "traceparent" not in dict(envelope().headers()), "no trace, no header"


def test_unknown_headers_are_skipped() -> None:
    sound = envelope()
    assert Envelope.read([*sound.headers(), ("ce_dataschema", b"x"), ("anything", b"\xff")]) == sound


def test_a_time_in_another_zone_is_the_same_instant() -> None:
    jayapura = timezone(timedelta(hours=9))
    sound = envelope(time=datetime(2026, 1, 5, 9, tzinfo=jayapura))
    assert Envelope.read(sound.headers()).time == datetime(2026, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize("name", MANDATORY)
def test_a_missing_header_is_named(name: str) -> None:
    with pytest.raises(EnvelopeError, match=f"{name} is missing"):
        Envelope.read([h for h in envelope().headers() if h[0] != name])


@pytest.mark.parametrize("name", [*MANDATORY, "traceparent"])
def test_a_header_that_is_no_text_is_named(name: str) -> None:
    for value in (b"\xff\xfe", None):
        with pytest.raises(EnvelopeError, match=f"{name} is not UTF-8"):
            Envelope.read([*envelope().headers(), (name, value)])  # type: ignore[list-item]  # Kafka's headers may be null


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("ce_specversion", b"0.3", "CloudEvents 1.0"),
        ("ce_type", b"com.example.Added", "id.tuntas."),
        ("ce_type", b"", "id.tuntas."),
        ("ce_id", b"17", "not a UUID"),
        ("ce_id", b"", "not a UUID"),
        ("ce_time", b"yesterday", "RFC 3339"),
        ("ce_time", b"2026-01-05T00:00:00", "time zone"),
        ("ce_time", b"2026-02-30T00:00:00Z", "RFC 3339"),
    ],
)
def test_a_garbled_header_is_named(name: str, value: bytes, says: str) -> None:
    with pytest.raises(EnvelopeError, match=says) as refusal:
        Envelope.read([*envelope().headers(), (name, value)])
    assert name in str(refusal.value)


@given(any_headers)
def test_any_headers_are_read_or_raise_an_envelope_error(headers: Headers) -> None:
    try:
        found = Envelope.read([*envelope().headers(), *headers])
    except EnvelopeError:
        return
    assert found.time.tzinfo is not None
