"""The topics of a real cluster: read for a plan, changed by `apply`."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # they are there, their stubs are not
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewPartitions,
    OffsetSpec,
    ResourceType,
)

from tuntas_operations.errors import StackError
from tuntas_operations.installation import Installation
from tuntas_operations.kafka_clients import REQUEST_S, Administration
from tuntas_operations.register import RegisterFound
from tuntas_operations.topic_plan import PREFIX, Change, TopicFound, plan, topic_of
from tuntas_operations.topics import TopicSpec, create_topics, topics_for

_APPLY_S = 120.0
_LOOK_S = 0.2
_MADE_HERE = ConfigSource.DYNAMIC_TOPIC_CONFIG


@dataclass(frozen=True, slots=True)
class Compared:
    """The topics that ought to be and what differs."""

    wanted: Sequence[TopicSpec]
    changes: Sequence[Change]


class ClusterTopics:
    """The topics of one installation."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._administration = Administration(installation)

    def compare(self, register: RegisterFound) -> Compared:
        """What differs now.

        Raises:
            Unreachable: the broker does not answer, refuses us, or does not let us look.
        """
        partitions = {
            name: len(topic.partitions) for name, topic in self._administration.metadata().topics.items() if name.startswith(PREFIX)
        }
        wanted = topics_for(self._codes_with_topics(register, partitions))
        found = self._found(partitions, wanted)
        lacking = [topic.name for topic in wanted if topic.name not in found]
        known = {topic.name for topic in topics_for(register.codes)}
        changes = plan(wanted, found, known=known, unseen=self._unseen(lacking), register_is_complete=register.complete)
        return Compared(wanted, changes)

    def apply(self, changes: Sequence[Change], wanted: Sequence[TopicSpec], *, prune: bool) -> int:
        """Make good what may be made good; gives how many changes were made.

        Raises:
            StackError: the broker refuses one.
        """
        now = [change for change in changes if change.refused is None and (prune or not change.prune)]
        specs = {topic.name: topic for topic in wanted}
        missing = [specs[change.topic] for change in now if change.kind == "missing"]
        if missing:
            create_topics(self._installation.needs_kafka(), missing, within_s=_APPLY_S, client=self._installation.kafka_client)
        repartitioned = {change.topic: specs[change.topic].partitions for change in now if change.kind == "partitions"}
        self._administration.ask(lambda admin: _add_partitions(admin, repartitioned))
        self._administration.ask(lambda admin: _alter(admin, [change for change in now if change.setting]))
        unknown = [change.topic for change in now if change.kind == "unknown"]
        self._administration.ask(lambda admin: _delete(admin, unknown))
        self._wait_until_seen(repartitioned, unknown)
        return len(now)

    def _codes_with_topics(self, register: RegisterFound, there: Collection[str]) -> list[str]:
        """The agencies that ought to have topics: those chosen, and any in the register that has one of its pair."""
        if self._installation.agencies is None:
            return list(register.codes)
        chosen = dict.fromkeys(self._installation.agencies)
        families = {name: topic for name in there if (topic := topic_of(name)) is not None and topic.per_agency}
        begun = {topic.agency_of(name) for name, topic in families.items()} & set(register.codes)
        return [*chosen, *sorted(begun - chosen.keys())]

    def _found(self, partitions: Mapping[str, int], wanted: Sequence[TopicSpec]) -> dict[str, TopicFound]:
        configs = self._administration.ask(lambda admin: _configs(admin, [name for name in partitions if topic_of(name)]))
        differing = [topic.name for topic in wanted if partitions.get(topic.name, topic.partitions) < topic.partitions]
        empty = self._administration.ask(lambda admin: _empty(admin, {name: partitions[name] for name in differing}))
        return {
            name: TopicFound(
                name=name,
                partitions=count,
                config={entry.name: str(entry.value) for entry in configs.get(name, {}).values()},
                set_here=[e.name for e in configs.get(name, {}).values() if ConfigSource(e.source) is _MADE_HERE],
                empty=name in empty,
            )
            for name, count in partitions.items()
        }

    def _unseen(self, names: Sequence[str]) -> set[str]:
        """Those of these topics that the user may not see; metadata leaves them out as if they were not there."""
        if not names:
            return set()
        answers = self._administration.client.describe_topics(TopicCollection(list(names)), request_timeout=REQUEST_S)
        hidden = set()
        for name, answer in answers.items():
            try:
                answer.result()
            except KafkaException as error:
                if error.args[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
                    hidden.add(name)
        return hidden

    def _wait_until_seen(self, repartitioned: Mapping[str, int], deleted: Sequence[str]) -> None:
        """A change is answered before every broker shows it."""
        deadline = time.monotonic() + REQUEST_S
        while repartitioned or deleted:
            topics = self._administration.metadata().topics
            grown = all(len(topics[name].partitions) == count for name, count in repartitioned.items() if name in topics)
            if grown and not topics.keys() & set(deleted):
                return
            if time.monotonic() > deadline:
                raise StackError("the brokers have taken the changes and do not show them yet: run the plan again in a minute")
            self._administration.client.poll(_LOOK_S)


def _configs(admin: AdminClient, names: Sequence[str]) -> dict[str, dict[str, ConfigEntry]]:
    if not names:
        return {}
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
    answers = admin.describe_configs(resources, request_timeout=REQUEST_S)
    return {resource.name: answer.result() for resource, answer in answers.items()}


def _empty(admin: AdminClient, partitions: Mapping[str, int]) -> set[str]:
    """Those of the topics on which nothing was ever written."""
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
    asked = {TopicPartition(name, number): latest for name, count in partitions.items() for number in range(count)}
    if not asked:
        return set()
    answers = admin.list_offsets(asked, isolation_level=IsolationLevel.READ_UNCOMMITTED, request_timeout=REQUEST_S)
    return set(partitions) - {partition.topic for partition, answer in answers.items() if answer.result().offset > 0}


def _add_partitions(admin: AdminClient, wanted: Mapping[str, int]) -> None:
    if wanted:
        for answer in admin.create_partitions([NewPartitions(name, count) for name, count in wanted.items()]).values():
            answer.result()


def _alter(admin: AdminClient, changes: Sequence[Change]) -> None:
    entries: dict[str, list[ConfigEntry]] = {}
    for change in changes:
        operation = AlterConfigOpType.DELETE if change.wanted is None else AlterConfigOpType.SET
        entry = ConfigEntry(str(change.setting), change.wanted or "", incremental_operation=operation)
        entries.setdefault(change.topic, []).append(entry)
    if entries:
        resources = [ConfigResource(ResourceType.TOPIC, name, incremental_configs=configs) for name, configs in entries.items()]
        for answer in admin.incremental_alter_configs(resources, request_timeout=REQUEST_S).values():
            answer.result()


def _delete(admin: AdminClient, names: Sequence[str]) -> None:
    if names:
        for answer in admin.delete_topics(list(names), operation_timeout=REQUEST_S).values():
            answer.result()
