"""`tuntas ops topics`: a real cluster is compared with topology and register, and made so."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from tests.support.operator import Operator
from tests.support.registers import register_of
from tests.support.servers import Servers
from tuntas_contracts.topology import AGENCY_ACTIONS, AGENCY_CASES, CASES, NOTICES, SLA, TOPICS
from tuntas_operations.topics import TopicSpec, create_topics, register_codes

FEW = ["kemenkes", "kemenhub"]
NATIONAL = [*register_codes(), *(f"penyedia-{number}" for number in range(679))][:679]
PLAIN = {topic.name: topic for topic in TOPICS if not topic.per_agency}


@pytest.fixture
def admin(servers: Servers) -> Iterator[AdminClient]:
    """The cluster's administrator; topics of the platform are gone before and after."""
    client = AdminClient({"bootstrap.servers": servers.bootstrap, "log_level": 0})
    _clear(client)
    yield client
    _clear(client)


@pytest.fixture
def operator(servers: Servers, admin: AdminClient) -> Operator:
    """With two agencies in the register."""
    return Operator({"TUNTAS_KAFKA": servers.bootstrap, "TUNTAS_DATABASE_URL_DISPATCH": register_of(servers, FEW)})


def _ours(client: AdminClient) -> set[str]:
    return {name for name in client.list_topics(timeout=20).topics if name.startswith("tuntas.")}


def _clear(client: AdminClient) -> None:
    names = sorted(_ours(client))
    if names:
        for answer in client.delete_topics(names, operation_timeout=60).values():
            answer.result()
    deadline = time.monotonic() + 60
    while _ours(client):
        assert time.monotonic() < deadline, "deleted topics are still shown"
        client.poll(0.1)


def _kinds(changes: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(change["kind"], change["topic"]) for change in changes}


def test_an_empty_cluster_gets_every_topic_and_a_second_run_changes_nothing(operator: Operator, admin: AdminClient) -> None:
    plan = operator.json("topics", "plan", status=1)
    names = {*PLAIN, *(family.for_agency(code) for family in (AGENCY_CASES, AGENCY_ACTIONS) for code in FEW)}
    assert _kinds(plan["changes"]) == {("missing", name) for name in names}
    assert _ours(admin) == set(), "a plan changes nothing"

    made = operator.json("topics", "apply")
    assert _kinds(made["changed"]) == {("missing", name) for name in names}
    assert _ours(admin) == names
    assert len(admin.list_topics(CASES.name, timeout=20).topics[CASES.name].partitions) == CASES.partitions

    assert operator.json("topics", "plan")["changes"] == []
    assert "nothing to change" in operator.run("topics", "apply").output


def test_wrong_settings_are_named_and_set(operator: Operator, servers: Servers) -> None:
    wrong = {**NOTICES.config, "retention.ms": "60000", "cleanup.policy": "compact"}
    create_topics(servers.bootstrap, [TopicSpec(NOTICES.name, NOTICES.partitions, wrong)])
    output = operator.run("topics", "plan", status=1).output
    assert f"retention.ms is 60000, set it to {NOTICES.retention_ms}" in output
    assert "cleanup.policy is compact, set it to delete" in output
    operator.run("topics", "apply")
    assert operator.json("topics", "plan")["changes"] == []


def test_partitions_are_added_to_an_empty_topic_only(operator: Operator, servers: Servers, admin: AdminClient) -> None:
    for topic in (CASES, SLA, NOTICES):
        create_topics(servers.bootstrap, [TopicSpec(topic.name, 30 if topic is NOTICES else 3, topic.config)])
    producer = Producer({"bootstrap.servers": servers.bootstrap, "log_level": 0})
    producer.produce(CASES.name, b"{}", key=b"a")
    assert producer.flush(20) == 0

    made = operator.json("topics", "apply", status=1)
    assert ("partitions", SLA.name) in _kinds(made["changed"])
    left = {change["topic"]: change["refused"] for change in made["left"]}
    assert "TUNTAS_OUTBOX_SHARDS" in left[CASES.name]
    assert "takes no partition away" in left[NOTICES.name]
    topics = admin.list_topics(timeout=20).topics
    assert [len(topics[topic.name].partitions) for topic in (CASES, SLA, NOTICES)] == [3, SLA.partitions, 30]
    assert "has 3 partitions, the topology says 24" in operator.run("topics", "plan", status=1).output


def test_nothing_is_deleted_without_prune(operator: Operator, servers: Servers, admin: AdminClient) -> None:
    operator.run("topics", "apply")
    unknown = {"tuntas.forgotten.v1", AGENCY_CASES.for_agency("not-in-the-register")}
    create_topics(servers.bootstrap, [TopicSpec(name, 1) for name in unknown])
    foreign = servers.topic("someone-elses")
    output = operator.run("topics", "apply").output
    assert all(name in output for name in unknown)
    assert "--prune" in output
    assert _ours(admin) >= unknown

    # while the register is not known, no agency's topic can be called unknown for certain
    without = Operator({"TUNTAS_KAFKA": servers.bootstrap})
    left = without.json("topics", "plan", status=1)["changes"]
    assert [c["topic"] for c in left if c["kind"] == "unknown" and "refused" in c] == [AGENCY_CASES.for_agency("not-in-the-register")]

    pruned = operator.json("topics", "apply", "--prune")
    assert _kinds(pruned["changed"]) == {("unknown", name) for name in unknown}
    assert not _ours(admin) & unknown
    assert foreign in admin.list_topics(timeout=20).topics
    assert operator.json("topics", "plan")["changes"] == []


def test_a_setting_made_by_hand_is_reset_by_prune_only(operator: Operator, servers: Servers) -> None:
    create_topics(servers.bootstrap, [TopicSpec(SLA.name, SLA.partitions, {**SLA.config, "retention.bytes": "1000000"})])
    operator.run("topics", "apply")
    assert "retention.bytes was set to 1000000 by hand" in operator.run("topics", "plan", status=1).output
    operator.run("topics", "apply", "--prune")
    assert operator.json("topics", "plan")["changes"] == []


def test_the_topics_of_679_agencies_in_a_minute(servers: Servers, admin: AdminClient) -> None:
    operator = Operator({"TUNTAS_KAFKA": servers.bootstrap, "TUNTAS_DATABASE_URL_DISPATCH": register_of(servers, NATIONAL)})
    started = time.monotonic()
    operator.run("topics", "apply")
    took = time.monotonic() - started
    assert len(_ours(admin)) == len(PLAIN) + 2 * 679
    assert took < 60, f"it took {took:.0f} s"
    again = operator.json("topics", "apply")
    assert (again["changed"], again["left"]) == ([], [])


def test_an_unreachable_broker_is_reported_in_one_sentence() -> None:
    sentence = Operator({"TUNTAS_KAFKA": "127.0.0.1:1"}).refused("topics", "plan")
    assert "Kafka at 127.0.0.1:1 does not answer" in sentence
