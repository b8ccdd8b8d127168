"""Where partitions end, asked so that one that gives no answer takes nothing from the answers about the others."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.cluster import ClusterMetadata
from aiokafka.errors import KafkaError, NoError, for_code
from aiokafka.protocol.offset import OffsetRequest, OffsetResetStrategy

LOG_END = -2  # the replica id under which a broker answers with the end of its log; under -1 with what consumers may see
VISIBLE_END = -1
_ANSWER_WITHIN_S = 5.0


async def end_offsets(
    client: AIOKafkaClient, cluster: ClusterMetadata, partitions: Iterable[TopicPartition], replica_id: int = VISIBLE_END
) -> dict[TopicPartition, int]:
    """The next offset of these partitions; those without a leader, a right or an answer within five seconds are left out.

    With LOG_END what followers have not copied yet counts too: it was appended, though no consumer can see it.
    """
    return await _offsets(client, cluster, partitions, OffsetResetStrategy.LATEST, replica_id)


async def start_offsets(
    client: AIOKafkaClient, cluster: ClusterMetadata, partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, int]:
    """The first offset that these partitions still hold; those that give no answer are left out."""
    return await _offsets(client, cluster, partitions, OffsetResetStrategy.EARLIEST, VISIBLE_END)


async def _offsets(
    client: AIOKafkaClient, cluster: ClusterMetadata, partitions: Iterable[TopicPartition], timestamp: int, replica_id: int
) -> dict[TopicPartition, int]:
    wanted: dict[int, dict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    for partition in partitions:
        leader = cluster.leader_for_partition(partition)
        if leader is not None and leader >= 0:
            wanted[leader][partition.topic].append((partition.partition, timestamp))
    answers = await asyncio.gather(
        *(
            asyncio.wait_for(client.send(node, OffsetRequest(replica_id, 0, list(topics.items()))), _ANSWER_WITHIN_S)
            for node, topics in wanted.items()
        ),
        return_exceptions=True,
    )
    found: dict[TopicPartition, int] = {}
    for answer in answers:
        if isinstance(answer, KafkaError | OSError | TimeoutError):
            continue  # its partitions stay unanswered
        if isinstance(answer, BaseException):
            raise answer
        for topic, results in answer.topics:
            for number, error_code, _timestamp, offset in results:
                if for_code(error_code) is NoError:
                    found[TopicPartition(topic, number)] = offset
    return found
