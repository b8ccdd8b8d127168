"""The five databases as the counter sees them: plain SQL, no code of any service."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from tuntas_demo.drills.counting import Tables
from tuntas_demo.drills.topic_log import AGENCY_ACTIONS, Place
from tuntas_devstack.sessions import Sessions

SERVICES = ("intake", "triage", "dispatch", "sla_monitor", "notifier")
"""The databases' names."""
_READ = {
    "intake": ("tuntas.cases.v1",),
    "triage": ("tuntas.cases.v1", "tuntas.agencies.v1"),
    "dispatch": ("tuntas.cases.v1", AGENCY_ACTIONS),
    "sla_monitor": ("tuntas.cases.v1",),
    "notifier": ("tuntas.cases.v1", "tuntas.sla.v1", "tuntas.notices.v1", "tuntas.agencies.v1"),
}
_SET_ASIDE = "SELECT count(*) FROM parked_message WHERE state IN ('parked', 'waiting')"


class Databases:
    """`urls` are the databases' by module name, and the server's own under `admin`."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        self._urls = urls
        self._sessions = Sessions(urls)

    async def rows(self, name: str, sql: str, *arguments: Any) -> list[Any]:
        """Rows of one database. Raises asyncpg's errors, OSError and TimeoutError."""
        return await self._sessions.fetch(name, sql, *arguments)

    async def close(self) -> None:
        """Leave the databases."""
        await self._sessions.close()

    async def execute(self, *statements: str) -> None:
        """Statements of the server's owner, one after the other, outside of transactions, while no session of ours is open."""
        await self._sessions.close()
        connection = await asyncpg.connect(self._urls["admin"], timeout=20)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close(timeout=10)

    async def unread(self, ends: Mapping[Place, int]) -> str:
        """What is unsent, or unread up to these ends; empty if nothing is."""
        for name in SERVICES:
            if await self.rows(name, "SELECT 1 FROM outbox LIMIT 1"):
                return f"the outbox of {name} is not empty"
            found = await self.rows(name, "SELECT topic, partition, min(position) AS position FROM consumer_offset GROUP BY 1, 2")
            positions = {(row["topic"], row["partition"]): row["position"] for row in found}
            for place, end in ends.items():
                if place[0].startswith(_READ[name]) and positions.get(place, 0) < end:
                    return f"{name} has read {positions.get(place, 0)} of {end} on {place[0]} {place[1]}"
        return ""

    async def waiting_mails(self) -> int:
        """How many notices are not delivered or given up yet."""
        [row] = await self.rows("notifier", "SELECT count(*) AS number FROM delivery WHERE status IN ('queued', 'sending')")
        return int(row["number"])

    async def tables(self) -> Tables:
        """Everything that the counter compares."""
        reports, shown, triage, dispatch, clocks, *rest = await asyncio.gather(
            self.rows("intake", "SELECT case_id::text FROM report"),
            self.rows("intake", "SELECT case_id::text, array_agg(version ORDER BY version) AS versions FROM case_history GROUP BY 1"),
            self.rows("triage", "SELECT case_id::text, version, owner FROM case_file"),
            self.rows("dispatch", 'SELECT id::text AS case_id, version, owner FROM "case"'),
            self.rows("sla_monitor", "SELECT case_id::text, version FROM case_clocks"),
            *(self.rows(name, f"SELECT ({_SET_ASIDE}) AS set_aside, (SELECT count(*) FROM outbox) AS unsent") for name in SERVICES),  # noqa: S608
        )
        return Tables(
            reports=[row["case_id"] for row in reports],
            shown={row["case_id"]: row["versions"] for row in shown},
            triage=_owned(triage),
            dispatch=_owned(dispatch),
            clocks={row["case_id"]: row["version"] for row in clocks},
            set_aside={name: rows[0]["set_aside"] for name, rows in zip(SERVICES, rest, strict=True)},
            unsent={name: rows[0]["unsent"] for name, rows in zip(SERVICES, rest, strict=True)},
        )

    async def row_counts(self) -> dict[str, int]:
        """How many rows each table of each database has."""
        counts: dict[str, int] = {}
        for name in SERVICES:
            tables = await self.rows(name, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
            for row in tables:
                [found] = await self.rows(name, f'SELECT count(*) AS number FROM "{row["tablename"]}"')  # noqa: S608
                counts[f"{name}.{row['tablename']}"] = int(found["number"])
        return counts


def _owned(rows: Sequence[Any]) -> dict[str, tuple[int, str]]:
    return {row["case_id"]: (row["version"], row["owner"]) for row in rows}
