"""An agency whose actions topic is deleted is late; what others do is judged on time."""

from collections.abc import Callable

from aiokafka.admin import AIOKafkaAdminClient

from tests.integration.chassis.watermarked import Watermarked
from tests.support.counting import Added
from tests.support.delivery import Delivery
from tests.support.waiting import until
from tuntas_chassis.ids import new_id
from tuntas_contracts.topology import AGENCY_ACTIONS
from tuntas_operations.topics import TopicSpec, create_topics

QUICK = {"watermark_interval_s": 0.1, "watermark_tolerance_s": 0, "outbox_poll_s": 0.1}


async def test_a_deleted_actions_topic_delays_its_own_agency_alone(make: Callable[..., Delivery]) -> None:
    marker = new_id().hex[-10:]
    gone, other = f"kab-{marker}", f"kota-{marker}"
    delivery = make(**QUICK)
    topics = {code: AGENCY_ACTIONS.for_agency(code) for code in (gone, other)}
    create_topics(delivery.servers.bootstrap, [TopicSpec(name, 1, {}) for name in topics.values()])
    replica = Watermarked(delivery, topics=[], pattern=f"^({'|'.join(topics.values())})$".replace(".", r"\."))

    async def handled(key: str) -> None:
        async def all_are() -> bool:
            return key in await delivery.totals()

        await until(all_are, f"the command of {key} has its effect", 60.0)

    async def command(code: str, key: str) -> None:
        delivery.inputs = topics[code]
        await delivery.feed([(key, Added(amount=1))])

    for code in topics:
        await command(code, f"first of {code}")
    await replica.start()
    for code in topics:
        await handled(f"first of {code}")
    admin = AIOKafkaAdminClient(bootstrap_servers=delivery.servers.bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([topics[gone]])
    finally:
        await admin.close()

    async def late() -> bool:
        return [one.agency for one in (await replica.watermarks())[-1].late_agencies] == [gone]

    await until(late, "its agency is reported late, and no other", 60.0)
    await replica.until_advanced()
    await command(other, "second of the other")
    await handled("second of the other")
    await replica.until_advanced()
    assert await late(), "as long as the topic is not there"
