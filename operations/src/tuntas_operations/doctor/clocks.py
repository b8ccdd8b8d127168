"""Clocks: this machine's against the brokers', the databases' and the services'. Legal deadlines hang on them."""

import time
import uuid
from collections.abc import Callable
from time import monotonic

from confluent_kafka import KafkaException, Message, Producer
from confluent_kafka.cimpl import NewTopic

from tuntas_operations.doctor.findings import Finding, not_checked, ok, wrong
from tuntas_operations.installation import Installation
from tuntas_operations.kafka_clients import REQUEST_S, Administration, options

TOLERANCE_S = 1.0
"""How far two clocks may be apart: what watermarks allow by default (TUNTAS_WATERMARK_TOLERANCE_S)."""
PROBE = "tuntas-ops-probe"


def skew_finding(about: str, there: float, before: float, after: float, resolution_s: float = 0.0) -> Finding:
    """Judge a clock that showed `there` at some moment between `before` and `after` of ours, all in seconds since 1970."""
    ahead = there - after if there > after else min(0.0, there + resolution_s - before)
    if abs(ahead) > TOLERANCE_S:
        difference = f"it is {abs(ahead):,.1f} s {'ahead of' if ahead > 0 else 'behind'} this machine's clock"
        return wrong(about, difference, "let both machines follow the same time servers (NTP); deadlines are judged by these clocks")
    return ok(about, f"agrees with this machine's to {TOLERANCE_S:.0f} s")


def broker_clock(installation: Installation, administration: Administration, now: Callable[[], float]) -> Finding:
    """The append time of a message on a topic that is made for it and deleted again; `now` is this machine's clock."""
    about, name = "kafka clock", f"{PROBE}-{uuid.uuid4().hex[:12]}"
    client = administration.client
    config = {"message.timestamp.type": "LogAppendTime", "retention.ms": "3600000"}
    try:
        client.create_topics([NewTopic(name, 1, -1, config=config)], operation_timeout=REQUEST_S)[name].result()
    except KafkaException as error:
        reason = error.args[0].str()
        return not_checked(
            about, f"no topic can be made to see the append time by ({reason})", f"give this user Create on topics {PROBE}-*"
        )
    try:
        there, before, after = _append_time(installation, name, now)
        found = skew_finding(about, there, before, after, resolution_s=0.001)
    except (KafkaException, TimeoutError) as error:
        found = not_checked(about, f"no message could be written to see its append time ({error})", f"give this user Write on {PROBE}-*")
    try:
        client.delete_topics([name], operation_timeout=REQUEST_S)[name].result()
    except KafkaException as error:
        return wrong(about, f"the topic {name} was made to see it by and can't be deleted ({error.args[0].str()})", "delete it")
    return found


def _append_time(installation: Installation, topic: str, now: Callable[[], float]) -> tuple[float, float, float]:
    """The append time, and our clock before and after. A first message is only to have the connection and the leader."""
    delivered: list[float] = []
    failed: list[KafkaException] = []

    def note(error: object, message: Message) -> None:
        if error is not None:
            failed.append(KafkaException(error))
        else:
            delivered.append(message.timestamp()[1] / 1000)

    producer = Producer({**options(installation), "acks": "all", "linger.ms": 0})
    before, started = now(), monotonic()
    for count in (1, 2):
        before, started = now(), monotonic()
        producer.produce(topic, b"", on_delivery=note)
        deadline = time.monotonic() + REQUEST_S
        while len(delivered) < count:
            producer.poll(0.05)
            if failed:
                raise failed[0]
            if time.monotonic() > deadline:
                raise TimeoutError(f"no answer within {REQUEST_S:.0f} s")
    return delivered[-1], before, before + monotonic() - started
