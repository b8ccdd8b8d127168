"""What a service reports to Prometheus, on real servers: how late an agency learns of a case, what is parked, whether it can serve."""

from collections.abc import Callable
from time import time
from uuid import UUID

from sqlalchemy import text

from tests.support.counting import Summed
from tests.support.delivery import A_MONDAY, Delivery
from tests.support.servers import Servers
from tests.support.waiting import until
from tuntas_chassis.ids import derive_id
from tuntas_chassis.messaging.messages import Outgoing


def _caused(seconds_ago: float) -> UUID:
    """An id derived from one derived from a cause of so many seconds ago."""
    return derive_id(derive_id(UUID(int=int((time() - seconds_ago) * 1000) << 80), "first"), "second")


async def test_the_way_to_an_agency_is_measured_from_its_first_cause(make: Callable[..., Delivery], servers: Servers) -> None:
    delivery = make()
    app = await delivery.start()
    topic = servers.topic("tuntas.agency-cases.some", 4)
    async with app.database.begin() as connection:
        messages = [Outgoing(topic, "a", Summed(total=0, steps=n), A_MONDAY, _caused(ago)) for n, ago in enumerate((0, 7, 200))]
        await app.outbox.write(connection, [*messages, Outgoing(delivery.outputs, "a", Summed(total=0, steps=9), A_MONDAY)])
    app.outbox.written()

    async def counted() -> bool:
        return app.metrics.value("tuntas_agency_delivery_seconds", "Summed") == 3

    await until(counted, "all three are counted, and what is for no agency is not")

    def within(seconds: str) -> float | None:
        return app.metrics.registry.get_sample_value("tuntas_agency_delivery_seconds_bucket", {"type": "Summed", "le": seconds})

    assert (within("5.0"), within("60.0"), within("300.0")) == (1, 2, 3)


async def test_a_service_says_whether_it_is_ready_and_what_is_parked(make: Callable[..., Delivery]) -> None:
    delivery = make()
    app = delivery.app()
    await app._report()
    assert app.metrics.value("tuntas_service_ready") == 0
    assert app.metrics.value("tuntas_migration_mismatch") == 1, "there is no schema yet"
    running = await delivery.start()
    await running._report()
    shown = [running.metrics.value(name, "counting.in") for name in ("tuntas_parked_messages", "tuntas_parked_oldest_seconds")]
    assert shown == [0, 0], "there from the start, so that an alert sees the first"
    assert (running.metrics.value("tuntas_service_ready"), running.metrics.value("tuntas_migration_mismatch")) == (1, 0)
    await delivery.feed_raw([(b"a", b"no JSON", [])])

    async def parked() -> bool:
        await running._report()
        return running.metrics.value("tuntas_parked_messages", "counting.in") == 1

    await until(parked, "the message is parked")
    async with running.database.begin() as connection:
        await connection.execute(text("UPDATE parked_message SET parked_at = now() - interval '2 hours'"))
    await running._report()
    assert 7_200 <= (running.metrics.value("tuntas_parked_oldest_seconds", "counting.in") or 0) < 7_300
    await app.database.close()


async def test_a_relay_that_has_lost_its_connection_owns_nothing(make: Callable[..., Delivery]) -> None:
    delivery = make()
    app = await delivery.start()

    async def owns() -> bool:
        return app.metrics.value("tuntas_outbox_shards_owned") == 4

    await until(owns, "the relay has all shards")
    await delivery.stop()
    assert app.metrics.value("tuntas_outbox_shards_owned") == 0
