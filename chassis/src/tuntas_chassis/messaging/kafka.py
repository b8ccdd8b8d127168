"""The one factory of Kafka clients. FastStream's and aiokafka's defaults lose messages; these do not."""

import asyncio
import ssl
from collections.abc import Sequence, Set
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker
from faststream.security import BaseSecurity, SASLScram512

from tuntas_chassis.messaging.fetching import FETCH_BYTES
from tuntas_chassis.messaging.outbox import key_hash
from tuntas_chassis.settings import ServiceSettings
from tuntas_contracts.topology import TOPICS

MAX_MESSAGE_BYTES = 1_048_576
REQUEST_TIMEOUT_MS = 10_000  # how long a broker may keep a produce request, and a connection its answer
_ABORT_STEP_S = 0.2


def _tls(settings: ServiceSettings) -> ssl.SSLContext | None:
    if not settings.kafka_tls:
        return None
    return ssl.create_default_context(cafile=str(settings.kafka_ca_file) if settings.kafka_ca_file else None)


def _security(settings: ServiceSettings) -> BaseSecurity:
    tls = _tls(settings)
    if settings.kafka_username and settings.kafka_password:
        return SASLScram512(
            username=settings.kafka_username,
            password=settings.kafka_password.get_secret_value(),
            ssl_context=tls,
            use_ssl=settings.kafka_tls,
        )
    return BaseSecurity(ssl_context=tls, use_ssl=settings.kafka_tls)


def bootstrap_servers(settings: ServiceSettings) -> list[str]:
    """The addresses that the setting names, one by one: FastStream takes a text with commas for a single host."""
    return [address.strip() for address in settings.kafka.split(",")]


def client_options(settings: ServiceSettings) -> dict[str, Any]:
    """What every bare aiokafka client is made with: servers and credentials."""
    options: dict[str, Any] = {"bootstrap_servers": bootstrap_servers(settings), "security_protocol": "PLAINTEXT"}
    if settings.kafka_tls:
        options |= {"security_protocol": "SSL", "ssl_context": _tls(settings)}
    if settings.kafka_username and settings.kafka_password:
        options |= {
            "security_protocol": "SASL_SSL" if settings.kafka_tls else "SASL_PLAINTEXT",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": settings.kafka_username,
            "sasl_plain_password": settings.kafka_password.get_secret_value(),
        }
    return options


def make_broker(settings: ServiceSettings, client_id: str) -> KafkaBroker:
    """A FastStream broker that only reads; publishing is the relay's alone."""
    return KafkaBroker(
        bootstrap_servers(settings),
        client_id=client_id,
        security=_security(settings),
        consumer_only=True,
        allow_auto_create_topics=False,
        metadata_max_age_ms=60_000,
        graceful_timeout=settings.drain_timeout_s,
        logger=None,
        apply_types=False,
    )


def consumer_options(listener: ConsumerRebalanceListener, batch_max: int, fetch_wait_ms: int, fetch_min_bytes: int) -> dict[str, Any]:
    """What a batch subscriber is made with: from the earliest, committed by hand, patient with a slow batch."""
    return {
        "auto_offset_reset": "earliest",
        "batch": True,
        "max_records": batch_max,
        # It returns as soon as there is a record. After one without, FastStream is deaf for as long again: so there is none without.
        "batch_timeout_ms": 24 * 3_600_000,
        "consumer_timeout_ms": 2_000,  # how often the client looks round unasked
        "fetch_max_wait_ms": fetch_wait_ms,
        "fetch_min_bytes": fetch_min_bytes,
        "fetch_max_bytes": FETCH_BYTES,
        "max_partition_fetch_bytes": MAX_MESSAGE_BYTES,
        "max_poll_interval_ms": 600_000,
        "session_timeout_ms": 15_000,
        "heartbeat_interval_ms": 1_000,  # members learn of a rebalance by a heartbeat: nobody reads until the last one has
        "listener": listener,
    }


def make_producer(settings: ServiceSettings, client_id: str) -> AIOKafkaProducer:
    """An idempotent producer that waits for all replicas in sync."""
    return AIOKafkaProducer(
        client_id=client_id,
        acks="all",
        enable_idempotence=True,
        max_batch_size=262_144,
        max_request_size=MAX_MESSAGE_BYTES,
        linger_ms=0,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        metadata_max_age_ms=60_000,
        partitioner=partition_of,
        **client_options(settings),
    )


async def abort(producer: AIOKafkaProducer) -> None:
    """End a producer without waiting for what it could not send; `stop` would wait for ever.

    What it had given to the network may still arrive.
    """
    producer._closed = True  # or it warns of not having been stopped
    task = producer._sender.sender_task
    if task is not None:
        task.cancel()
    await producer.client.close()
    # it waits for each request on its way, and a closed client gives some of them no end: each further word ends one
    while task is not None and not task.done():
        await asyncio.wait({task}, timeout=_ABORT_STEP_S)
        task.cancel()


def partition_of(key: bytes, partitions: Sequence[int], _available: Sequence[int]) -> int:
    """Where Kafka's default partitioner puts a record with a key. A record without one (a mark) names its partition."""
    return partitions[key_hash(key) % len(partitions)]


async def unknown_topics(producer: AIOKafkaProducer, topics: Set[str]) -> set[str]:
    """Those of `topics` that the broker does not have. A send to one of them would hold up all others."""
    client = producer.client
    known = client.cluster.topics()
    if topics <= known:
        return set()
    # one request for all: the client would ask again, about every topic so far, for each that it meets
    await client.set_topics(known | topics | await _families(client, topics - known))
    if not topics <= client.cluster.topics():
        await client.force_metadata_update()
    return {topic for topic in topics if not client.cluster.partitions_for_topic(topic)}


async def _families(client: AIOKafkaClient, topics: Set[str]) -> set[str]:
    """All topics of the agencies, of the kinds that are among `topics`: whoever sends to one of them soon sends to most."""
    families = [family for family in TOPICS if family.per_agency and any(map(family.includes, topics))]
    if not families:
        return set()
    try:
        everything = await client.fetch_all_metadata()
    except KafkaError:
        return set()  # the topics themselves are asked about next, and that says what is wrong
    return {topic for topic in everything.topics() if any(family.includes(topic) for family in families)}
