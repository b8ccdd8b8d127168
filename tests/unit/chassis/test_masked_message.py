"""What operators see of a message repeats nothing that a person wrote."""

import json

import pytest

from tuntas_chassis.messaging.dead_letters import fault_text
from tuntas_chassis.messaging.decoding import Undecodable
from tuntas_chassis.messaging.masked_message import masked_headers, masked_value, without_content

CASE_ID = "0198c0de-0000-7000-8000-000000000000"
SECRETS = ("Siti Aminah", "3273012345678901", "Jalan Merdeka 5")


def test_a_value_shows_structure_types_sizes_and_ids() -> None:
    value = {
        "case_id": CASE_ID,
        "report": {"body": "Siti Aminah", "loss": 3273012345678901, "secret": True},
        "evidence": ["Jalan Merdeka 5"],
    }
    assert masked_value(json.dumps(value).encode()) == {
        "case_id": CASE_ID,
        "report": {"body": {"type": "text", "characters": 11}, "loss": {"type": "number"}, "secret": {"type": "boolean"}},
        "evidence": {"type": "list", "members": 1, "first": [{"type": "text", "characters": 15}]},
    }


@pytest.mark.parametrize(
    "value",
    [
        json.dumps({"Siti Aminah": 1, "x": {"Jalan Merdeka 5": ["3273012345678901"]}}).encode(),
        json.dumps("3273012345678901").encode(),
        json.dumps([[[[[[[[[["Siti Aminah"]]]]]]]]]]).encode(),
        b"Siti Aminah, Jalan Merdeka 5",
        b"[" * 100_000,
        b"\xff\x00 Siti Aminah",
    ],
)
def test_no_value_shows_a_text(value: bytes) -> None:
    shown = json.dumps(masked_value(value))
    assert not [secret for secret in SECRETS if secret in shown]


def test_headers_are_those_of_the_envelope() -> None:
    headers = [("ce_id", CASE_ID.encode()), ("ce_type", b"Siti Aminah"), ("Siti Aminah", b"3273012345678901"), ("traceparent", None)]
    shown = masked_headers(headers)
    assert shown["ce_id"] == CASE_ID
    assert not [secret for secret in SECRETS if secret in json.dumps(shown)]


def test_an_error_keeps_its_first_line_without_what_it_quotes() -> None:
    text = 'invalid input value for enum kind: "Siti Aminah"\nDETAIL: Failing row contains (Jalan Merdeka 5)'
    assert without_content(text) == "invalid input value for enum kind: '…'"
    for value in ("['Siti Aminah', 3273012345678901]", "3273012345678901", '"Siti\'s"'):
        assert without_content(f"invalid input for query argument $2: {value} (value out of int64 range)").endswith(
            "argument $2: … (value out of int64 range)"
        )
        assert without_content(f"invalid input for query argument $1: {value} ({value} is wrong)").endswith("argument $1: …")
    assert fault_text(ValueError("no time zone 'Jalan Merdeka 5': give an IANA name")) == "no time zone '…': give an IANA name"
    assert fault_text(Undecodable("not a valid Added: amount: Input should be 'a' or 'b'")).endswith("'a' or 'b'"), "ours holds no input"
