"""What a message becomes before it is written: its shard, and a size that the broker will take."""

import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from tests.support.counting import Summed
from tests.unit.chassis.builders import A_MONDAY
from tuntas_chassis.messaging.kafka import MAX_MESSAGE_BYTES, partition_of
from tuntas_chassis.messaging.messages import Outgoing
from tuntas_chassis.messaging.outbox import MAX_VALUE_BYTES, MessageTooLarge, encode, shard_of
from tuntas_contracts.base import Contract


class Letter(Contract):
    """As long as its text."""

    text: str


@given(st.text(min_size=1, max_size=60) | st.uuids().map(str), st.integers(1, 1000))
def test_the_shard_of_a_key_is_its_partition_in_kafka(key: str, partitions: int) -> None:
    everyone = list(range(partitions))
    expected = DefaultPartitioner()(key.encode(), everyone, everyone)
    assert shard_of(key, partitions) == partition_of(key.encode(), everyone, everyone) == expected


def test_known_shards_never_move() -> None:
    """Another partition after an upgrade would break the order within cases that are under way."""
    assert [shard_of(f"0198d1a0-0000-7000-8000-00000000000{n}", 24) for n in range(6)] == [10, 5, 2, 22, 8, 8]


def test_a_message_is_its_json() -> None:
    assert encode(Outgoing("topic", "a", Summed(total=1, steps=2), A_MONDAY)) == b'{"total":1,"steps":2}'


def test_a_message_the_broker_would_refuse_is_found_before_it_is_written() -> None:
    frame = len('{"text":""}')
    fits = Outgoing("topic", "a", Letter(text="x" * (MAX_VALUE_BYTES - frame)), A_MONDAY)
    assert len(encode(fits)) == MAX_VALUE_BYTES < MAX_MESSAGE_BYTES
    with pytest.raises(MessageTooLarge, match=r"Letter for topic has 900,001 bytes.*shorten"):
        encode(Outgoing("topic", "a", Letter(text="x" * (MAX_VALUE_BYTES - frame + 1)), A_MONDAY))


def test_size_is_counted_in_bytes_and_not_in_characters() -> None:
    with pytest.raises(MessageTooLarge):
        encode(Outgoing("topic", "a", Letter(text="é" * (MAX_VALUE_BYTES // 2)), A_MONDAY))
