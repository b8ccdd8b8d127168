"""One entry or summary that dispatch can't handle stops no other: it is set aside, counted, and said so."""

from collections.abc import AsyncIterator, Sequence

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dispatch.adapters.refusal_summaries import RefusalSummaries
from dispatch.adapters.register_snapshot import RegisterSnapshot
from dispatch.application.refusals import Refusals
from dispatch.domain.refusal_quota import RefusalQuota
from dispatch.metrics import METRICS
from dispatch.settings import Settings
from tests.support.names import NAME_KEY
from tuntas_chassis.clock import SystemClock
from tuntas_chassis.messaging.messages import Outgoing
from tuntas_chassis.messaging.outbox import MAX_VALUE_BYTES, MessageTooLarge, Outbox
from tuntas_chassis.persistence.database import Database
from tuntas_chassis.telemetry.metrics import CHASSIS_METRICS, MetricSet

ENTRY = text(
    "INSERT INTO agency (code, name, kind, time_zone, email, sectors, units, enabled, changed_at) VALUES "
    "(:code, 'Badan', 'body', 'Asia/Jakarta', 'aduan@badan.example', '{}', CAST(:units AS jsonb), true, now())"
)
SOUND = '[{"code": "layanan", "name": "Layanan", "kind": "service_desk", "sectors": [], "parent": null}]'
SET_ASIDE = "tuntas_rows_set_aside_total"


@pytest.fixture
async def pool(url: str, engine: AsyncEngine) -> AsyncIterator[Database]:
    async with engine.begin() as connection:
        await connection.execute(text("TRUNCATE agency, outbox"))
    settings = Settings.model_validate(
        {"environment": "test", "kafka": "127.0.0.1:1", "database_url": url, "oidc_issuer": "http://127.0.0.1:1", "name_keys": NAME_KEY}
    )
    made = Database(settings, "dispatch")
    yield made
    await made.close()


@pytest.fixture
def metrics() -> MetricSet:
    return MetricSet((*CHASSIS_METRICS, *METRICS))


def counted(metrics: MetricSet, name: str, kind: str) -> float | None:
    return metrics.registry.get_sample_value(name, {"kind": kind})


@pytest.mark.parametrize("units", ['{"tree": {}}', "7", '[{"id": 5}]', '["layanan"]', "null"])
async def test_an_entry_of_a_later_release_leaves_all_others_known(
    pool: Database, engine: AsyncEngine, metrics: MetricSet, units: str
) -> None:
    snapshot = RegisterSnapshot(pool, metrics, 30.0)
    async with engine.begin() as connection:
        for code in ("badan-satu", "badan-dua"):
            await connection.execute(ENTRY, {"code": code, "units": SOUND})
    await snapshot.refresh()
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE agency SET units = CAST(:units AS jsonb) WHERE code = 'badan-satu'"), {"units": units})
        await connection.execute(ENTRY, {"code": "badan-tiga", "units": SOUND})
    for _ in range(2):
        await snapshot.refresh()
    assert snapshot.units_of("badan-dua") == snapshot.units_of("badan-tiga") == {"layanan"}
    assert snapshot.units_of("badan-satu") == {"layanan"}, "it keeps what was known of it"
    assert (counted(metrics, SET_ASIDE, "agency"), counted(metrics, "tuntas_set_aside_rows", "agency")) == (1, 1)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE agency SET units = CAST(:units AS jsonb)"), {"units": SOUND})
    await snapshot.refresh()
    assert counted(metrics, "tuntas_set_aside_rows", "agency") == 0


async def test_the_process_starts_with_an_entry_that_it_can_t_read(pool: Database, engine: AsyncEngine, metrics: MetricSet) -> None:
    async with engine.begin() as connection:
        await connection.execute(ENTRY, {"code": "badan-satu", "units": "7"})
        await connection.execute(ENTRY, {"code": "badan-dua", "units": SOUND})
    snapshot = RegisterSnapshot(pool, metrics, 30.0)
    await snapshot.refresh()
    assert not snapshot.units_of("badan-satu")
    assert snapshot.units_of("badan-dua") == {"layanan"}


class NarrowOutbox(Outbox):
    """Takes no message of one agency."""

    def __init__(self, refused: str) -> None:
        super().__init__(24, lambda: None, lambda: False)
        self._refused = refused

    async def write(self, connection: AsyncConnection, outgoing: Sequence[Outgoing], *_: object, **__: object) -> None:
        if any(message.key == self._refused for message in outgoing):
            raise MessageTooLarge(f"more than {MAX_VALUE_BYTES}")
        await super().write(connection, outgoing)


async def test_a_summary_that_can_t_be_written_holds_up_no_other(pool: Database, engine: AsyncEngine, metrics: MetricSet) -> None:
    seconds = [0.0]
    quota = RefusalQuota(1, lambda: seconds[0])
    for agency in ("badan-satu", "badan-dua", "badan-tiga", "BUKAN KODE"):
        for _ in range(3):
            quota.admit(agency, "unknown_case", f"tuntas.agency-actions.{agency}.v1/0/1")
    seconds[0] = 120.0
    refusals = Refusals(quota, SystemClock(), metrics)
    await RefusalSummaries(refusals, pool, NarrowOutbox("badan-dua"), SystemClock()).send()
    async with engine.connect() as connection:
        keys = list((await connection.execute(text("SELECT key FROM outbox ORDER BY id"))).scalars())
    assert keys == ["badan-satu", "badan-tiga"]
    assert counted(metrics, SET_ASIDE, "refusal_summary") == 2
