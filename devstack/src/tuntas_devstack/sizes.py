"""What a stack keeps: bytes on the broker by topic and in the databases by table, in all and for each case."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg

from tuntas_contracts.topology import AGENCY_ACTIONS, AGENCY_CASES, agency_of
from tuntas_devstack.kafka.brokers import broker_names
from tuntas_embedded.folder import StackFolder

_TABLES = (
    "SELECT c.relname AS name, pg_total_relation_size(c.oid) AS bytes FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname = 'public'"
)
_ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes by topic (of one broker, topics of agencies by their family) and by table of each service's database, and how many cases."""

    cases: int
    topics: Mapping[str, int]
    tables: Mapping[str, Mapping[str, int]]

    @property
    def databases(self) -> Mapping[str, int]:
        """Bytes of all tables with their indexes, by service."""
        return {service: sum(tables.values()) for service, tables in self.tables.items()}

    def per_case(self, size: int) -> float:
        """Bytes for each case; 0 where there is none."""
        return size / self.cases if self.cases else 0.0


async def sizes_of(folder: StackFolder, databases: Mapping[str, str]) -> Sizes:
    """The sizes of a running stack. Dead rows that no vacuum has met yet count as well."""
    tables: dict[str, dict[str, int]] = {}
    cases = 0
    for service, url in databases.items():
        if service == _ADMIN:
            continue
        connection = await asyncpg.connect(url)
        try:
            tables[service] = {row["name"]: row["bytes"] for row in await connection.fetch(_TABLES)}
            if service == "intake" and "report" in tables[service]:
                cases = await connection.fetchval("SELECT count(*) FROM report")
        finally:
            await connection.close()
    return Sizes(cases, topic_bytes(folder), tables)


def topic_bytes(folder: StackFolder) -> dict[str, int]:
    """The bytes of each topic's segments on the first broker, without indexes, which are kept at their full size while in use."""
    found: Counter[str] = Counter()
    for partition in (folder.path / broker_names(1)[0] / "data").glob("*-*/"):
        topic = partition.name.rpartition("-")[0]
        found[_family(topic)] += sum(segment.stat().st_size for segment in partition.glob("*.log"))
    return dict(found)


def _family(topic: str) -> str:
    if agency_of(topic) is None:
        return topic
    return next(f.name for f in (AGENCY_CASES, AGENCY_ACTIONS) if topic.startswith(f.name.partition("{")[0]))
