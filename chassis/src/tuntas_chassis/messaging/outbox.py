"""The outbox: messages written in the same transaction as the state that they report."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from aiokafka.partitioner import murmur2
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tuntas_chassis.ids import derive_id, new_id
from tuntas_chassis.messaging.messages import Outgoing
from tuntas_chassis.telemetry.tracing import current_traceparent
from tuntas_contracts.envelope import Envelope

MAX_VALUE_BYTES = 900_000  # under the broker's 1 MiB with headers and framing
CHANNEL = "tuntas_outbox"

_INSERT = text(
    "INSERT INTO outbox (shard, topic, key, message_id, type, time, traceparent, value) "
    "SELECT * FROM unnest(CAST(:shards AS smallint[]), CAST(:topics AS text[]), CAST(:keys AS text[]), CAST(:ids AS uuid[]), "
    "CAST(:types AS text[]), CAST(:times AS timestamptz[]), CAST(:parents AS text[]), CAST(:contents AS bytea[]))"
)
_NOTIFY = text(f"SELECT pg_notify('{CHANNEL}', '')")


class MessageTooLarge(ValueError):
    """A message that the broker would refuse; found before it is written."""


@lru_cache(maxsize=10_000)
def key_hash(key: bytes) -> int:
    """Kafka's hash of a key, by which its default partitioner chooses; in Python it is slow enough to be kept for the relay."""
    return int(murmur2(key) & 0x7FFFFFFF)


def shard_of(key: str, shards: int) -> int:
    """The outbox shard of a key: the partition that Kafka's default partitioner gives it on a topic of that many."""
    return key_hash(key.encode()) % shards


class Outbox:
    """Writes messages for the relay."""

    def __init__(self, shards: int, wake_relay: Callable[[], None], relay_is_elsewhere: Callable[[], bool]) -> None:
        """`wake_relay` is called after a write's commit by `written`; others are notified where some shard is relayed elsewhere."""
        self._shards = shards
        self._wake_relay = wake_relay
        self._relay_is_elsewhere = relay_is_elsewhere

    async def write(
        self,
        connection: AsyncConnection,
        outgoing: Sequence[Outgoing],
        cause: Envelope | None = None,
        traceparents: Sequence[str] | None = None,
    ) -> None:
        """Write messages in order. The rows that they report must be locked or inserted by this transaction already.

        Ids follow from the cause where there is one. Raises MessageTooLarge.
        """
        if not outgoing:
            return
        await connection.execute(_INSERT, self.columns(outgoing, cause, traceparents))
        if self._relay_is_elsewhere():
            await connection.execute(_NOTIFY)

    def columns(
        self, outgoing: Sequence[Outgoing], cause: Envelope | None = None, traceparents: Sequence[str] | None = None
    ) -> dict[str, Sequence[Any]]:
        """The same messages as the columns of the table, in order; raises MessageTooLarge."""
        parent = cause.traceparent if cause else current_traceparent()
        return {
            "contents": [encode(message) for message in outgoing],
            "ids": [m.id or (derive_id(cause.id, n, type(m.body).__name__) if cause else new_id()) for n, m in enumerate(outgoing)],
            "shards": [shard_of(m.key, self._shards) for m in outgoing],
            "topics": [m.topic for m in outgoing],
            "keys": [m.key for m in outgoing],
            "types": [type(m.body).__name__ for m in outgoing],
            "times": [m.time for m in outgoing],
            "parents": traceparents or [parent] * len(outgoing),
        }

    def written(self) -> None:
        """Call after the commit: the relay of this process looks at once."""
        self._wake_relay()


def encode(message: Outgoing) -> bytes:
    """The value of a message; raises MessageTooLarge."""
    value = message.body.model_dump_json().encode()
    if len(value) > MAX_VALUE_BYTES:
        raise MessageTooLarge(
            f"{type(message.body).__name__} for {message.topic} has {len(value):,} bytes; at most {MAX_VALUE_BYTES:,} pass: "
            "shorten its texts or move attachments out of it"
        )
    return value
