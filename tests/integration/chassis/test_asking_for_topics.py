"""How often a producer asks the broker about topics: once for those of all agencies, whichever of them is sent to first."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from unittest.mock import patch

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.conn import AIOKafkaConnection

from tests.support.delivery import Delivery
from tests.support.servers import Servers
from tuntas_chassis.messaging.kafka import make_producer, unknown_topics
from tuntas_contracts.topology import AGENCY_ACTIONS, AGENCY_CASES
from tuntas_operations.topics import TopicSpec, create_topics

CODES = ("asked-one", "asked-two", "asked-three")


@pytest.fixture
async def producer(servers: Servers, make: Callable[..., Delivery]) -> AsyncIterator[AIOKafkaProducer]:
    names = [family.for_agency(code) for family in (AGENCY_CASES, AGENCY_ACTIONS) for code in CODES]
    create_topics(servers.bootstrap, [TopicSpec(name, 1, {}) for name in names])
    client = make_producer(make().settings(), "tests")
    await client.start()
    yield client
    await client.stop()


@pytest.fixture
def asked() -> Any:
    """The kinds of requests that are sent, in their order."""
    kinds: list[str] = []
    send = AIOKafkaConnection.send

    def counted(self: AIOKafkaConnection, request: Any, *arguments: Any, **options: Any) -> Any:
        kinds.append(type(request).__name__)
        return send(self, request, *arguments, **options)

    with patch.object(AIOKafkaConnection, "send", counted):
        yield kinds


async def test_after_one_agency_the_topics_of_all_others_are_known(producer: AIOKafkaProducer, asked: list[str]) -> None:
    first, *others = (AGENCY_CASES.for_agency(code) for code in CODES)
    assert await unknown_topics(producer, {first}) == set()
    asked.clear()
    for topic in others:
        assert await unknown_topics(producer, {topic}) == set()
    assert "MetadataRequest" not in asked


async def test_topics_of_another_kind_and_other_services_topics_are_not_asked_for(servers: Servers, producer: AIOKafkaProducer) -> None:
    plain = servers.topic("plain")
    assert await unknown_topics(producer, {plain}) == set()
    assert producer.client.cluster.topics() == {plain}
    assert await unknown_topics(producer, {AGENCY_CASES.for_agency(CODES[0])}) == set()
    known = producer.client.cluster.topics()
    assert plain in known
    assert {AGENCY_CASES.for_agency(code) for code in CODES} <= known
    assert not any(AGENCY_ACTIONS.includes(topic) for topic in known)


async def test_an_agency_without_a_topic_is_distinguished_from_those_with_one(servers: Servers, producer: AIOKafkaProducer) -> None:
    there, missing = AGENCY_CASES.for_agency(CODES[0]), AGENCY_CASES.for_agency("asked-never")
    assert await unknown_topics(producer, {there, missing}) == {missing}
    create_topics(servers.bootstrap, [TopicSpec(missing, 1, {})])
    assert await unknown_topics(producer, {there, missing}) == set()
