"""The brokers: reachable, with these credentials, of a version that we know, every partition with a leader."""

from tuntas_operations.doctor.findings import Finding, not_checked, ok, wrong
from tuntas_operations.errors import StackError, Unreachable
from tuntas_operations.installation import Installation
from tuntas_operations.kafka_clients import Administration, BrokerRefuses
from tuntas_operations.kafka_features import finalized_features

_METADATA_VERSION = "metadata.version"
_OLDEST = 25
_RELEASES = {25: "4.0", 27: "4.1", 29: "4.2", 30: "4.3"}
"""Kafka's releases by the level of `metadata.version` (StorageTool version-mapping)."""


def reach(installation: Installation) -> tuple[Administration | None, list[Finding]]:
    """A client that the broker has answered, None where nothing more can be asked; and what was found on the way."""
    about = "kafka"
    if installation.kafka is None:
        return None, [not_checked(about, "no broker is named", "set TUNTAS_KAFKA")]
    administration = Administration(installation)
    try:
        metadata = administration.metadata()
    except BrokerRefuses as error:
        todo = "correct TUNTAS_KAFKA_USERNAME and TUNTAS_KAFKA_PASSWORD, or give the user this password (SCRAM-SHA-512)"
        return None, [wrong(about, str(error), todo)]
    except Unreachable as error:
        todo = "look whether the brokers run, and at TUNTAS_KAFKA, TUNTAS_KAFKA_TLS, TUNTAS_KAFKA_USERNAME and the network between"
        return None, [wrong(about, str(error), todo)]
    count = len(metadata.brokers)
    user = f"as {administration.user}" if administration.user else "without a user"
    found = [ok(about, f"{installation.kafka} answers {user}; {count} broker{'s' if count > 1 else ''}")]
    partitions = [p for topic in metadata.topics.values() for p in topic.partitions.values()]
    leaderless = sum(1 for p in partitions if p.leader < 0)
    behind = sum(1 for p in partitions if len(p.isrs) < len(p.replicas))
    if leaderless or behind:
        state = f"{leaderless} of {len(partitions)} partitions have no leader, {behind} have replicas that are not in sync"
        found.append(wrong("kafka replicas", state, "see which broker is away or slow, and bring it back"))
    else:
        found.append(ok("kafka replicas", f"all {len(partitions):,} partitions have their leader and every replica in sync"))
    return administration, [*found, _version(installation)]


def _version(installation: Installation) -> Finding:
    about = "kafka version"
    try:
        level = finalized_features(installation).get(_METADATA_VERSION)
    except StackError as error:
        return not_checked(about, str(error))
    if level is None:
        return wrong(about, "the brokers name no metadata.version", "Tuntas needs Kafka 4.0 or later in KRaft mode: upgrade")
    release = max((number for number in _RELEASES if number <= level), default=None)
    if level < _OLDEST or release is None:
        return wrong(about, f"metadata.version is {level}, before Kafka 4.0", "upgrade the brokers, then `kafka-features.sh upgrade`")
    newer = " or later" if level > max(_RELEASES) else ""
    return ok(about, f"Kafka {_RELEASES[release]}{newer} (metadata.version {level})")
