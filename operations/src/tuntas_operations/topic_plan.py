"""What differs between the topics of a cluster and those that the topology and the register ask for. Pure: no I/O."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tuntas_contracts.topology import CASES, TOPICS, Topic
from tuntas_operations.topics import TopicSpec

PREFIX = "tuntas."
"""Every topic of the platform begins so; others on the same cluster are not looked at."""
LEFT_TO_THE_CLUSTER = frozenset({"min.insync.replicas", "leader.replication.throttled.replicas", "follower.replication.throttled.replicas"})
"""Settings that an installation may choose for itself."""

_MAYBE_KNOWN = "dispatch's database was not asked, so it may be that of an agency in the register"

Kind = Literal["missing", "unseen", "partitions", "setting", "extra_setting", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicFound:
    """A topic as the cluster has it. `config` is in force, `set_here` are the settings made on the topic itself."""

    name: str
    partitions: int
    config: Mapping[str, str] = field(default_factory=dict)
    set_here: Collection[str] = ()
    empty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something to be changed on the cluster. `refused` says why `apply` leaves it, `prune` that it needs `--prune`."""

    kind: Kind
    topic: str
    detail: str
    refused: str | None = None
    prune: bool = False
    setting: str | None = None
    wanted: str | None = None


def plan(
    wanted: Sequence[TopicSpec],
    found: Mapping[str, TopicFound],
    *,
    known: Collection[str] = (),
    unseen: Collection[str] = (),
    register_is_complete: bool = True,
) -> list[Change]:
    """Every difference, in the order in which it is to be made good.

    `known` are names of topics that may be there and need not; `unseen` those that the user has no right to see. Where the
    register is not known completely, nobody can say that an agency's topic is unknown, so none is to be pruned.
    """
    changes: list[Change] = []
    for topic in wanted:
        there = found.get(topic.name)
        if there is None:
            changes.append(_lacking(topic, hidden=topic.name in unseen))
        else:
            changes.extend(_of_topic(topic, there))
    expected = {topic.name for topic in wanted} | set(known)
    for name in sorted(name for name in found.keys() - expected if name.startswith(PREFIX)):
        of_agency = any(topic.per_agency and name.startswith(_head(topic)) for topic in TOPICS)
        refused = _MAYBE_KNOWN if of_agency and not register_is_complete else None
        changes.append(Change(kind="unknown", topic=name, detail="neither topology nor register names it", prune=True, refused=refused))
    order: list[Kind] = ["missing", "unseen", "partitions", "setting", "extra_setting", "unknown"]
    return sorted(changes, key=lambda change: order.index(change.kind))


def _lacking(topic: TopicSpec, *, hidden: bool) -> Change:
    if hidden:
        why = "give this user Describe on it, or use one that administrates the cluster"
        return Change(kind="unseen", topic=topic.name, detail="there or not: this user may not see it", refused=why)
    return Change(kind="missing", topic=topic.name, detail=f"create it with {_count(topic.partitions)}")


def _of_topic(topic: TopicSpec, there: TopicFound) -> Iterator[Change]:
    if there.partitions != topic.partitions:
        detail = f"has {_count(there.partitions)}, the topology says {topic.partitions}"
        yield Change(kind="partitions", topic=topic.name, detail=detail, refused=_why_not_repartitioned(topic, there))
    for name, value in topic.config.items():
        now = there.config.get(name)
        if now != value:
            yield Change(kind="setting", topic=topic.name, detail=f"{name} is {now}, set it to {value}", setting=name, wanted=value)
    for name in sorted(set(there.set_here) - topic.config.keys() - LEFT_TO_THE_CLUSTER):
        detail = f"{name} was set to {there.config.get(name)} by hand; the topology leaves it to the brokers"
        yield Change(kind="extra_setting", topic=topic.name, detail=detail, setting=name, prune=True)


def _why_not_repartitioned(topic: TopicSpec, there: TopicFound) -> str | None:
    if there.partitions > topic.partitions:
        return "Kafka takes no partition away: put the number back into the topology, or make a new version of the topic and move to it"
    if there.empty:
        return None
    if topic.name == CASES.name:
        return (
            "it holds records, and its partition of a key is the shard of the outboxes (TUNTAS_OUTBOX_SHARDS) and the order of a case: "
            "make a new version of the topic and move to it"
        )
    return (
        "it holds records, and with more partitions later messages of a key would be on another partition and pass earlier ones: "
        "make a new version of the topic and move to it"
    )


def topic_of(name: str) -> Topic | None:
    """The topology's entry that a topic's name belongs to, None for one that is not ours."""
    for topic in TOPICS:
        if name == topic.name or (topic.per_agency and name.startswith(_head(topic)) and name.endswith(topic.name.partition("}")[2])):
            return topic
    return None


def _head(topic: Topic) -> str:
    return topic.name.partition("{agency}")[0]


def _count(partitions: int) -> str:
    return "1 partition" if partitions == 1 else f"{partitions} partitions"
