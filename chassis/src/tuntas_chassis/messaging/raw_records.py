"""A Kafka record as columns of a table, and back."""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping

from aiokafka import ConsumerRecord

from tuntas_chassis.messaging.subscription import Record


def columns_of(record: Record) -> dict[str, object]:
    """Everything that decoding needs, as the columns topic, partition, offset, raw_key, value, headers (JSON) and timestamp_ms."""
    headers = json.dumps([[str(name), b64encode(value or b"").decode()] for name, value in record.headers]).encode()
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "raw_key": record.key,
        "value": record.value,
        "headers": headers,
        "timestamp_ms": record.timestamp,
    }


def record_of(row: Mapping[str, object]) -> Record:
    """The record of such columns."""
    headers, raw_key, value = row["headers"], row["raw_key"], row["value"]
    return ConsumerRecord(
        topic=str(row["topic"]),
        partition=int(str(row["partition"])),
        offset=int(str(row["offset"])),
        timestamp=int(str(row["timestamp_ms"])),
        timestamp_type=0,
        key=raw_key if isinstance(raw_key, bytes) else None,
        value=value if isinstance(value, bytes) else None,
        checksum=None,
        serialized_key_size=-1,
        serialized_value_size=-1,
        headers=tuple((n, b64decode(v)) for n, v in json.loads(headers)) if isinstance(headers, bytes) else (),
    )
