"""Where topics end."""

from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition

from tuntas_chassis.kafka import make_bare_consumer
from tuntas_chassis.settings import ServiceSettings


class TopicEnds:
    """Asks over a connection of its own: on a consumer's the answer would wait until the fetch under way is over."""

    def __init__(self, settings: ServiceSettings, client_id: str) -> None:
        self._settings = settings
        self._client_id = client_id
        self._client: AIOKafkaConsumer | None = None

    async def unread(self, consumer: AIOKafkaConsumer, positions: Mapping[TopicPartition, int]) -> dict[tuple[str, int], int]:
        """The next offset of every partition of the consumer's topics that has something behind these positions.

        Raises KafkaError where the broker is away.
        """
        topics = consumer.subscription()
        partitions = [TopicPartition(topic, number) for topic in topics for number in consumer.partitions_for_topic(topic) or ()]
        client = self._client or await self._connect()
        await client._client.set_topics(topics)  # one request for all that are new; each alone would cost one about all before it
        ends = {p: end for p, end in (await client.end_offsets(partitions)).items() if positions.get(p, 0) < end}
        # what another replica has not read may have expired: then there is nothing left to read
        elsewhere = [p for p in ends if p not in positions]
        starts = await client.beginning_offsets(elsewhere) if elsewhere else {}
        return {(p.topic, p.partition): end for p, end in ends.items() if starts.get(p, 0) < end}

    async def _connect(self) -> AIOKafkaConsumer:
        client = make_bare_consumer(self._settings, self._client_id)
        try:
            await client.start()
        except BaseException:
            await client.stop()
            raise
        self._client = client
        return client

    async def close(self) -> None:
        """Disconnect; a later question connects anew."""
        client, self._client = self._client, None
        if client is not None:
            await client.stop()
