"""The statements of a relay on its outbox: bounded by rows and by bytes, and none of them grows with what is set aside."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from tuntas_chassis.messaging.set_aside import Hold, Place

READ_BYTES = 8 * 1024 * 1024  # of values in one look; with the client's copies a relay holds some three times that
_MOVE_BYTES = 32 * 1024 * 1024
_COLUMNS = "id, shard, topic, key, message_id, type, time, traceparent, written_at, value"

# a value's length is known without reading it, and of rows beyond the limit no value is
_READ = f"""SELECT {_COLUMNS} FROM (
  SELECT *, sum(octet_length(value)) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) - octet_length(value) AS before
  FROM outbox {{of}} ORDER BY id LIMIT $1) r
 WHERE before < $2"""  # noqa: S608  (names of columns only)
_READ_ALL = _READ.format(of="")
_READ_SHARDS = _READ.format(of="WHERE shard = ANY($3::smallint[])")
_MOVE = f"""WITH head AS MATERIALIZED (
  SELECT id, topic, shard, sum(octet_length(value)) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) - octet_length(value) AS before
  FROM outbox WHERE shard = ANY($1::smallint[]) ORDER BY id LIMIT $4),
 moved AS (DELETE FROM outbox o USING head h, unnest($2::text[], $3::smallint[]) AS p(topic, shard)
  WHERE o.id = h.id AND h.topic = p.topic AND h.shard = p.shard AND h.before < $5 RETURNING o.*)
 INSERT INTO outbox_set_aside ({_COLUMNS}) SELECT {_COLUMNS} FROM moved ON CONFLICT DO NOTHING"""  # noqa: S608
_PLACES = "SELECT DISTINCT topic, shard FROM outbox_set_aside WHERE shard = ANY($1::smallint[])"
_HEADS = f"""WITH head AS (
  SELECT DISTINCT ON (p.hold) p.hold, f.topic, f.shard, f.id
  FROM unnest($1::int[], $2::text[], $3::smallint[]) AS p(hold, topic, shard)
  CROSS JOIN LATERAL (SELECT o.topic, o.shard, o.id FROM outbox_set_aside o
   WHERE o.topic = p.topic AND o.shard = p.shard ORDER BY o.id LIMIT 1) f
  ORDER BY p.hold, f.id)
 SELECT hold, {_COLUMNS} FROM head JOIN outbox_set_aside USING (topic, shard, id)"""  # noqa: S608
_READ_SET_ASIDE = f"""SELECT {_COLUMNS} FROM (
  SELECT o.*, sum(octet_length(o.value)) OVER (ROWS UNBOUNDED PRECEDING) - octet_length(o.value) AS before
  FROM unnest($3::text[], $4::smallint[]) AS p(topic, shard)
  CROSS JOIN LATERAL (SELECT {_COLUMNS} FROM outbox_set_aside s WHERE s.topic = p.topic AND s.shard = p.shard ORDER BY s.id LIMIT $1) o
  LIMIT $1) r WHERE before < $2"""  # noqa: S608
_DELETE = "DELETE FROM outbox WHERE id = ANY($1::bigint[])"
_DELETE_ALSO_SET_ASIDE = """WITH sent AS (
  SELECT * FROM unnest($1::text[], $2::smallint[], $3::bigint[], $4::uuid[]) AS s(topic, shard, id, message_id)),
 beside AS (DELETE FROM outbox_set_aside o USING sent s
  WHERE o.topic = s.topic AND o.shard = s.shard AND o.id = s.id AND o.message_id = s.message_id)
 DELETE FROM outbox o USING sent s WHERE o.id = s.id AND o.message_id = s.message_id"""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that the broker took, as it is found in the outbox. The message's id distinguishes it from one that got its number later,
    in a database that was put back."""

    topic: str
    shard: int
    id: int
    message_id: UUID

    @classmethod
    def of(cls, row: asyncpg.Record) -> "Sent":
        """That row's."""
        return cls(row["topic"], row["shard"], row["id"], row["message_id"])


@dataclass(frozen=True, slots=True)
class Read:
    """Rows in the order of their ids; `complete` where no row was left for the next look."""

    rows: Sequence[asyncpg.Record]
    complete: bool


class OutboxRows:
    """Reads and deletes on the relay's own connection."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]", batch: int) -> None:
        """`batch` is how many rows are read at once."""
        self._connection = connection
        self._batch = batch

    async def read(self, owned: Collection[int], *, all_shards: bool) -> Read:
        """The oldest rows of the shards that we own."""
        if all_shards:
            return self._bounded(await self._connection.fetch(_READ_ALL, self._batch, READ_BYTES))
        return self._bounded(await self._connection.fetch(_READ_SHARDS, self._batch, READ_BYTES, list(owned)))

    async def read_set_aside(self, holds: Iterable[Hold]) -> Read:
        """The oldest of what waits for these destinations, one place after the other."""
        topics, shards = _columns(place for hold in holds for place in hold.places)
        return self._bounded(await self._connection.fetch(_READ_SET_ASIDE, self._batch, READ_BYTES, topics, shards))

    def _bounded(self, rows: Sequence[asyncpg.Record]) -> Read:
        return Read(rows, len(rows) < self._batch and sum(len(row["value"]) for row in rows) < READ_BYTES)

    async def set_aside(self, owned: Collection[int], places: Collection[Place]) -> None:
        """Move rows of these places out of the outbox, in bounded steps; those that are not reached are moved the next time."""
        topics, shards = _columns(places)
        await self._connection.execute(_MOVE, list(owned), topics, shards, self._batch * 2, _MOVE_BYTES)

    async def set_aside_places(self, shards: Collection[int]) -> Sequence[Place]:
        """Where something waits."""
        return [(row["topic"], row["shard"]) for row in await self._connection.fetch(_PLACES, list(shards))]

    async def heads(self, holds: Sequence[Hold]) -> dict[int, asyncpg.Record]:
        """Of each hold the oldest row, by its place in `holds`."""
        numbers = [n for n, hold in enumerate(holds) for _ in hold.shards]
        topics, shards = _columns(place for hold in holds for place in hold.places)
        return {row["hold"]: row for row in await self._connection.fetch(_HEADS, numbers, topics, shards)}

    async def delete(self, ids: Sequence[int]) -> None:
        """Delete what was read from the outbox and sent."""
        await self._connection.execute(_DELETE, ids)

    async def delete_wherever(self, sent: Collection[Sent]) -> None:
        """Delete what was sent, in the outbox or beside it, whoever owns its shard by now: a row that was sent is done with."""
        columns = [s.topic for s in sent], [s.shard for s in sent], [s.id for s in sent], [s.message_id for s in sent]
        await self._connection.execute(_DELETE_ALSO_SET_ASIDE, *columns)


def _columns(places: Iterable[Place]) -> tuple[list[str], list[int]]:
    listed = list(places)
    return [topic for topic, _ in listed], [shard for _, shard in listed]
