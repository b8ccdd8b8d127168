"""What an agency's system sends is decompressed by the broker, and goes back to its sender where that can't be done within bounds."""

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import MessageSizeTooLargeError

from tests.support.servers import Servers
from tuntas_contracts.topology import AGENCY_ACTIONS


@pytest.fixture
def topic(servers: Servers) -> str:
    return servers.topic("actions", 1, **AGENCY_ACTIONS.config)


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_a_record_of_any_codec_is_stored_plain(servers: Servers, topic: str, codec: str) -> None:
    async with AIOKafkaProducer(bootstrap_servers=servers.bootstrap, compression_type=codec) as producer:
        await producer.send_and_wait(topic, b"x" * 10_000)
    async with AIOKafkaConsumer(bootstrap_servers=servers.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False) as consumer:
        consumer.assign([TopicPartition(topic, 0)])
        record = await consumer.getone()
    assert record.value == b"x" * 10_000


async def test_a_batch_that_inflates_goes_back_to_its_sender_and_leaves_nothing(servers: Servers, topic: str) -> None:
    partition = TopicPartition(topic, 0)
    async with AIOKafkaProducer(bootstrap_servers=servers.bootstrap, compression_type="gzip", max_request_size=100_000_000) as producer:
        with pytest.raises(MessageSizeTooLargeError):
            await producer.send_and_wait(topic, bytes(20_000_000))
    async with AIOKafkaConsumer(bootstrap_servers=servers.bootstrap, enable_auto_commit=False) as consumer:
        assert await consumer.end_offsets([partition]) == {partition: 0}
