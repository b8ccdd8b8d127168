"""Strimzi's KafkaTopic and KafkaUser objects, from the topology and the users' rights."""

from collections.abc import Sequence

from tuntas_contracts.vocabulary import Service
from tuntas_operations.rights import BrokerUser, Grant
from tuntas_operations.topics import TopicSpec

API_VERSION = "kafka.strimzi.io/v1"
CLUSTER = "tuntas"

Manifest = dict[str, object]


def topic_objects(topics: Sequence[TopicSpec]) -> list[Manifest]:
    """A KafkaTopic each. Replicas are left to the broker, which says it in one place."""
    return [_object("KafkaTopic", topic.name, {"partitions": topic.partitions, "config": dict(topic.config)}) for topic in topics]


def user_objects(users: Sequence[BrokerUser]) -> list[Manifest]:
    """A KafkaUser each, with SCRAM-SHA-512. A service's password is in the one Secret it has; the others' are made by Strimzi."""
    return [_object("KafkaUser", user.name, _user(user)) for user in users]


def _object(kind: str, name: str, spec: Manifest) -> Manifest:
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name, "labels": {"strimzi.io/cluster": CLUSTER}},
        "spec": spec,
    }


def _user(user: BrokerUser) -> Manifest:
    spec: Manifest = {
        "authentication": _authentication(user),
        "authorization": {"type": "simple", "acls": [_rule(grant) for grant in user.grants]},
    }
    if user.quota:
        spec["quotas"] = {
            "producerByteRate": user.quota.written_bytes_s,
            "consumerByteRate": user.quota.read_bytes_s,
            "requestPercentage": user.quota.request_percent,
        }
    return spec


def _authentication(user: BrokerUser) -> Manifest:
    scram: Manifest = {"type": "scram-sha-512"}
    if user.name in set(Service):
        scram["password"] = {"valueFrom": {"secretKeyRef": {"name": f"{CLUSTER}-{user.name}", "key": "kafka-password"}}}
    return scram


def _rule(grant: Grant) -> Manifest:
    pattern = "prefix" if grant.prefix else "literal"
    resource = {"type": "cluster"} if grant.resource == "cluster" else {"type": grant.resource, "name": grant.name, "patternType": pattern}
    return {"resource": resource, "operations": list(grant.operations)}
