"""Which shards of an outbox this process relays: a fair share of them, and those of a relay that is gone or does not answer.

A shard belongs to the session of the database that holds its advisory lock. Each relay is a row of `outbox_relay` that it renews; one
that has not for the time of its lease (its process is frozen, or cut off) has its session ended by another, and with it its locks.
"""

from math import ceil
from time import monotonic
from uuid import UUID

import asyncpg

from tuntas_chassis.ids import new_id
from tuntas_chassis.telemetry.logs import logger
from tuntas_chassis.telemetry.metrics import MetricSet

RENEW_EVERY_S = 2.0
_LOCK_CLASS = 0x6F7574  # "out": the first half of the advisory lock, the shard is the second
_log = logger(__name__)

_RENEW = """INSERT INTO outbox_relay (member, pid, renewed_at) VALUES ($1, pg_backend_pid(), clock_timestamp())
 ON CONFLICT (member) DO UPDATE SET pid = excluded.pid, renewed_at = excluded.renewed_at"""
# a number of a process that was reused belongs to a session that began after the row was renewed last
_MEMBERS = """SELECT m.member, m.renewed_at, a.pid FROM outbox_relay m LEFT JOIN pg_stat_activity a
 ON a.pid = m.pid AND a.datname = current_database() AND a.usename = current_user AND a.backend_start <= m.renewed_at"""
# a session of this relay that its server still serves, because something between answers for us: it holds its locks for ever
_END_FORMER = """SELECT pg_terminate_backend(a.pid) FROM outbox_relay m JOIN pg_stat_activity a
 ON a.pid = m.pid AND a.datname = current_database() AND a.usename = current_user AND a.backend_start <= m.renewed_at
 WHERE m.member = $1 AND m.pid <> pg_backend_pid()"""
_END_SESSION = "SELECT pg_terminate_backend($1)"
_FORGET = "DELETE FROM outbox_relay WHERE member = ANY($1::uuid[])"
_TAKE = "SELECT s FROM unnest($2::int[]) AS s WHERE pg_try_advisory_lock($1, s) LIMIT $3"
_UNLOCK = "SELECT pg_advisory_unlock($1, s) FROM unnest($2::int[]) AS s"


class LeaseLost(RuntimeError):
    """This process was frozen for longer than its lease: others may have taken its shards."""


class ShardShare:
    """The shards of one relay. `owned` holds for as long as the connection lives by which they were taken."""

    def __init__(self, shards: int, lease_s: float, metrics: MetricSet) -> None:
        """`shards` is the number of all; a relay that has not renewed its lease for `lease_s` is replaced."""
        self._shards = shards
        self._lease_s = lease_s
        self._renew_every_s = min(RENEW_EVERY_S, lease_s / 4)
        self._metrics = metrics
        self._member = new_id()
        self._renewed_at = -float("inf")
        self._others: dict[UUID, tuple[object, float]] = {}
        self.owned: set[int] = set()
        self.members = 0

    @property
    def owns_all(self) -> bool:
        """Whether every shard is relayed here."""
        return len(self.owned) == self._shards

    def reset(self) -> None:
        """The connection is another one, or gone."""
        self.owned.clear()
        self._others.clear()
        self._renewed_at = -float("inf")
        self.members = 0
        self._show()

    def check(self) -> None:
        """Raise LeaseLost where the lease may have run out since it was renewed."""
        if monotonic() - self._renewed_at > self._lease_s:
            raise LeaseLost(f"the lease of this relay was not renewed for more than {self._lease_s:.0f} s: it starts again")

    async def renew(self, connection: "asyncpg.Connection[asyncpg.Record]") -> bool:
        """Renew the lease, and take or give back shards, where it is time; says whether shards were taken."""
        if monotonic() - self._renewed_at < self._renew_every_s:
            return False
        if self._renewed_at < 0:
            await connection.fetch(_END_FORMER, self._member)
        await connection.execute(_RENEW, self._member)  # it fails where the database can only be read: then nothing is ours
        self._renewed_at = monotonic()
        self.members = await self._count_members(connection)
        share = ceil(self._shards / self.members)
        taken = False
        if len(self.owned) > share:
            surplus = sorted(self.owned)[share:]
            await connection.fetch(_UNLOCK, _LOCK_CLASS, surplus)
            self.owned.difference_update(surplus)
        elif len(self.owned) < share:
            free = [s for s in range(self._shards) if s not in self.owned]
            rows = await connection.fetch(_TAKE, _LOCK_CLASS, free, share - len(self.owned))
            self.owned.update(row["s"] for row in rows)
            taken = bool(rows)
        self._show()
        return taken

    async def resign(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        """Leave all shards to the others."""
        await connection.fetch(_UNLOCK, _LOCK_CLASS, sorted(self.owned))
        await connection.execute(_FORGET, [self._member])
        self.reset()

    async def _count_members(self, connection: "asyncpg.Connection[asyncpg.Record]") -> int:
        now, alive, gone = monotonic(), 1, []
        seen: dict[UUID, tuple[object, float]] = {}
        for row in await connection.fetch(_MEMBERS):
            member = row["member"]
            if member == self._member:
                continue
            renewed_at, since = self._others.get(member, (None, now))
            # by our own clock, for as long as we looked: a database's clock that jumped, or one that could not be written, ends no relay
            seen[member] = (row["renewed_at"], since if renewed_at == row["renewed_at"] else now)
            if row["pid"] is None:
                gone.append(member)
            elif now - seen[member][1] > self._lease_s:
                _log.warning("relay_replaced", member=str(member), silent_for_s=round(now - seen[member][1], 1))
                await connection.fetch(_END_SESSION, row["pid"])
                gone.append(member)
            else:
                alive += 1
        if gone:
            await connection.execute(_FORGET, gone)
        self._others = {member: found for member, found in seen.items() if member not in gone}
        return alive

    def _show(self) -> None:
        self._metrics.set("tuntas_outbox_shards_owned", len(self.owned))
        self._metrics.set("tuntas_outbox_relay_members", self.members)
