"""Settings, records and envelopes to test with."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from aiokafka import ConsumerRecord
from hypothesis import strategies as st
from pydantic import SecretStr

from tuntas_chassis.ids import new_id
from tuntas_chassis.messaging.subscription import Record
from tuntas_chassis.settings import ServiceSettings
from tuntas_contracts.envelope import Envelope

A_MONDAY = datetime(2026, 1, 5, 8, tzinfo=UTC)
A_TRACE = f"00-{'ab' * 16}-{'cd' * 8}-01"
SETTINGS: dict[str, Any] = {
    "environment": "test",
    "kafka": "127.0.0.1:1",
    "database_url": SecretStr("postgresql://role:secret@127.0.0.1:1/none"),
    "oidc_issuer": "http://127.0.0.1:1",
}

Headers = list[tuple[str, bytes]]
any_headers = st.lists(
    st.tuples(
        st.sampled_from(["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "traceparent"]) | st.text(max_size=20),
        st.sampled_from([b"1.0", b"id.tuntas.Added", b"2026-01-05T00:00:00Z", b"0001-01-01T00:00:00+14:00", str(UUID(int=1)).encode()])
        | st.binary(max_size=60)
        | st.none(),
    ),
    max_size=12,
)


def settings(**given: Any) -> ServiceSettings:
    """Settings of a test; what `given` says instead."""
    return ServiceSettings(**(SETTINGS | given))


def envelope(**given: Any) -> Envelope:
    """A sound envelope; what `given` says instead."""
    fields: dict[str, Any] = {"id": new_id(), "source": "tests", "type": "Added", "subject": "a", "time": A_MONDAY}
    return Envelope(**(fields | given))


def record(**given: Any) -> Record:
    """A sound record of an addition; what `given` says instead."""
    fields: dict[str, Any] = {
        "topic": "topic",
        "partition": 3,
        "offset": 7,
        "timestamp": int(A_MONDAY.timestamp() * 1000),
        "timestamp_type": 0,
        "key": b"a",
        "value": b'{"amount": 1}',
        "checksum": None,
        "serialized_key_size": -1,
        "serialized_value_size": -1,
        "headers": tuple(envelope().headers()),
    }
    return ConsumerRecord(**(fields | given))
