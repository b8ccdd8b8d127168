"""Every record on a topic becomes a message or the reason why not; no bytes whatever raise anything else."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.counting import Added, Asked
from tests.unit.chassis.builders import A_MONDAY, A_TRACE, Headers, any_headers, envelope, record
from tuntas_chassis.clock import SimulatedClock, SystemClock
from tuntas_chassis.ids import new_id
from tuntas_chassis.messaging.decoding import Decoded, Undecodable, UnknownType, decode, record_key, record_type
from tuntas_chassis.messaging.messages import Incoming
from tuntas_chassis.messaging.subscription import Record
from tuntas_contracts.agencies import AcceptCase
from tuntas_contracts.base import Contract
from tuntas_contracts.envelope import MAX_HEADERS, MAX_NAMES_LENGTH

TYPES: dict[str, type[Contract]] = {"Added": Added, "Asked": Asked, "AcceptCase": AcceptCase}


def _decode(found: Record) -> Incoming:
    return decode(found, TYPES, SystemClock(), catching_up=False, replayed=False)


def test_a_sound_record_is_a_message_with_its_place_and_time() -> None:
    sent = envelope(traceparent=A_TRACE)
    message = _decode(record(headers=tuple(sent.headers())))
    assert (message.envelope, message.body, message.key) == (sent, Added(amount=1), "a")
    assert (message.topic, message.partition, message.offset, message.appended_at) == ("topic", 3, 7, A_MONDAY)


def test_the_append_time_follows_the_simulated_clock(tmp_path: Path) -> None:
    clock = SimulatedClock.create(tmp_path / "clock")
    clock.set_offset(timedelta(days=3))
    assert decode(record(), TYPES, clock, catching_up=False, replayed=False).appended_at == A_MONDAY + timedelta(days=3)


@pytest.mark.parametrize(
    ("given_", "says"),
    [
        ({"headers": ()}, "CloudEvents 1.0"),
        ({"value": None}, "no value"),
        ({"value": b""}, "not a valid Added"),
        ({"value": b"{not json"}, "not a valid Added"),
        ({"value": b'{"amount": "many"}'}, "amount: "),
        ({"value": b"{}"}, "amount: Field required"),
        ({"value": b'{"amount": ' + b"9" * 5_000 + b"}"}, "not a valid Added"),
        ({"value": b'{"amount": ' + b"[" * 5_000}, "not a valid Added"),
        ({"headers": (*envelope().headers(), *[("x", b"")] * MAX_HEADERS)}, "107 headers; 100 at most"),
        ({"headers": tuple(envelope(subject="s" * MAX_NAMES_LENGTH).headers())}, "more than 1024 characters"),
        ({"headers": tuple(envelope(source="s" * MAX_NAMES_LENGTH).headers())}, "more than 1024 characters"),
        ({"timestamp": 2**62}, "timestamp"),
        ({"timestamp": -(2**62)}, "timestamp"),
    ],
)
def test_the_reason_names_what_is_wrong(given_: dict[str, object], says: str) -> None:
    with pytest.raises(Undecodable, match=says):
        _decode(record(**given_))


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (b'{"amount": 1, "amount": 2}', "'amount' is given more than once"),
        (b'{"amount": 1, "x": ' + b"[" * 40 + b"]" * 40 + b"}", "deep"),
        (b'{"amount": 1, "x": NaN}', "NaN"),
        (b"{", "not a valid Added"),
    ],
)
def test_json_of_others_must_have_one_meaning_for_every_reader(value: bytes, says: str) -> None:
    with pytest.raises(Undecodable, match=says):
        decode(record(value=value), TYPES, SystemClock(), catching_up=False, replayed=False, writer="kota-32-73")


def test_a_reason_never_quotes_the_content() -> None:
    with pytest.raises(Undecodable) as refusal:
        _decode(record(value=b'{"amount": "Siti Nurhaliza"}'))
    assert "Siti" not in str(refusal.value)
    assert refusal.value.__cause__ is None, "the parser's own error quotes it, and a log would show the chain"


def test_an_unknown_type_is_distinguished_from_a_malformed_message() -> None:
    with pytest.raises(UnknownType, match="FromTheFuture"):
        _decode(record(headers=tuple(envelope(type="FromTheFuture").headers())))


def test_an_unreadable_trace_is_ignored() -> None:
    for malformed in ("x", "00-1-2-0g", "00-" + "\x00" * 52):
        assert _decode(record(headers=tuple(envelope(traceparent=malformed).headers()))).envelope.traceparent == ""


def test_inputs_and_commands_are_answered_once_under_their_own_id_and_events_under_none() -> None:
    asked = Asked(case_id=new_id(), input_id=new_id(), occurred_at=A_MONDAY, amount=1)
    command = envelope(type="AcceptCase")
    kinds = {
        "event": record(),
        "input": record(value=asked.model_dump_json().encode(), headers=tuple(envelope(type="Asked").headers())),
        "command": record(value=AcceptCase(case_id=new_id(), unit="unit").model_dump_json().encode(), headers=tuple(command.headers())),
    }
    ids = {name: Decoded(found, "", "a", _decode(found)).handled_id for name, found in kinds.items()}
    assert ids == {"event": None, "input": asked.input_id, "command": command.id}


anything = st.builds(
    record,
    headers=any_headers.map(tuple) | any_headers.map(lambda headers: (*envelope().headers(), *headers)),
    key=st.none() | st.binary(max_size=40),
    value=st.none() | st.binary(max_size=200) | st.sampled_from([b'{"amount": 1}', b"[" * 5000, b'{"amount": 1e999}', b'{"a":"\\ud800"}']),
    timestamp=st.integers(-(2**63), 2**63 - 1),
)


@given(anything)
def test_any_bytes_are_decoded_or_raise_undecodable(found: Record) -> None:
    kind, _source = record_type(found)
    assert kind == "" or kind.isalnum()
    assert record_key(found) != ""
    try:
        message = _decode(found)
    except Undecodable:
        return
    assert message.envelope.type == kind


@given(any_headers)
def test_the_look_at_the_type_before_decoding_agrees_with_the_envelope(headers: Headers) -> None:
    sound = (*envelope(type="Asked", source="intake").headers(), ("x", b""), *[h for h in headers if not h[0].startswith("ce_")])
    assert record_type(record(headers=sound)) == ("Asked", "intake")
