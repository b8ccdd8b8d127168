"""Who may do what on the broker: a user per service and per agency with the least rights that the topology gives it.

Manifests are generated from here, and the local broker can be given the same users and rules. Read and Write bring Describe
with them, and Write on any topic lets a producer be idempotent, so neither is granted separately.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from tuntas_contracts.topology import AGENCY, TOPICS, Topic
from tuntas_contracts.vocabulary import Service

Operation = Literal["Describe", "DescribeConfigs", "Read", "Write"]
SCALER = "scaler"
OPERATIONS = "operations"
RECONCILE_GROUP = "tuntas-reconcile"


@dataclass(frozen=True, slots=True)
class Grant:
    """Operations allowed on the cluster, on one topic or group, or with `prefix` on all whose name begins so."""

    resource: Literal["topic", "group", "cluster"]
    name: str
    operations: tuple[Operation, ...]
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Quota:
    """What one user may take of each broker: bytes a second written and read, per cent of one request thread."""

    written_bytes_s: int
    read_bytes_s: int
    request_percent: int


@dataclass(frozen=True, slots=True)
class BrokerUser:
    """A user by SCRAM name, with all its rights; there are no others."""

    name: str
    grants: tuple[Grant, ...]
    quota: Quota | None = None


AGENCY_QUOTA = Quota(written_bytes_s=256 * 1024, read_bytes_s=2 * 1024 * 1024, request_percent=10)
"""Some hundreds of messages a second both ways, and little enough that an agency's system gone wild is not felt by the others."""


def service_user(service: Service) -> BrokerUser:
    """A service's user: it writes what it publishes, reads what it follows, and joins groups named after itself."""
    grants = [grant for topic in TOPICS if (grant := _on_topic(topic, str(service), _family(topic), prefix=topic.per_agency))]
    return BrokerUser(str(service), (*grants, Grant("group", f"{service}.", ("Read",), prefix=True)))


def agency_user(code: str) -> BrokerUser:
    """An agency's user: its own pair of topics, and groups that begin with its own name."""
    name = f"agency.{code}"
    grants = [grant for topic in TOPICS if topic.per_agency and (grant := _on_topic(topic, AGENCY, topic.for_agency(code), prefix=False))]
    return BrokerUser(name, (*grants, Grant("group", f"{name}.", ("Read",), prefix=True)), AGENCY_QUOTA)


def scaler_user() -> BrokerUser:
    """The autoscaler's user: it sees how far each service's groups have read, and reads no message."""
    read = [topic for topic in TOPICS if any(service in topic.readers for service in Service)]
    topics = [Grant("topic", _family(topic), ("Describe",), prefix=topic.per_agency) for topic in read]
    return BrokerUser(SCALER, (*topics, *(Grant("group", f"{service}.", ("Describe",), prefix=True) for service in Service)))


def operations_user() -> BrokerUser:
    """The user of doctor and reconciliation: it reads every topic, its settings and the broker's access rules, and changes nothing."""
    topics = [Grant("topic", _family(topic), ("Read", "DescribeConfigs"), prefix=topic.per_agency) for topic in TOPICS]
    return BrokerUser(OPERATIONS, (*topics, Grant("group", RECONCILE_GROUP, ("Read",)), Grant("cluster", "kafka-cluster", ("Describe",))))


def platform_users() -> list[BrokerUser]:
    """The users of the platform itself: the five services, the autoscaler and operations."""
    return [*(service_user(service) for service in Service), scaler_user(), operations_user()]


def agency_users(codes: Iterable[str]) -> list[BrokerUser]:
    """A user for each agency."""
    return [agency_user(code) for code in codes]


def _on_topic(topic: Topic, who: str, name: str, *, prefix: bool) -> Grant | None:
    operations: list[Operation] = []
    if who in topic.readers:
        operations.append("Read")
    if any(publication.producer == who for publication in topic.publications):
        operations.append("Write")
    return Grant("topic", name, tuple(operations), prefix) if operations else None


def _family(topic: Topic) -> str:
    return topic.name.partition("{agency}")[0]
