"""The broker itself refuses each service, an agency's system and the autoscaler whatever they have no business with, and nothing else."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # they are there, their stubs are not
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    OffsetSpec,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from confluent_kafka.cimpl import NewTopic

from tests.e2e.conftest import AGENCIES
from tests.support.attempts import CLUSTER_REFUSED, GRANTED, GROUP_REFUSED, TOPIC_REFUSED, Attempts, connection_faults, refusal
from tests.support.platform import Platform
from tests.support.waiting import until
from tuntas_contracts.topology import AGENCY, AGENCY_CASES, CASES, TOPICS, Topic, concrete_topics
from tuntas_contracts.vocabulary import Service
from tuntas_devstack.kafka.access import credentials_of
from tuntas_operations.credentials import Credentials
from tuntas_operations.rights import SCALER, agency_users, platform_users

OURS, OTHER = AGENCIES[:2]
SERVICES = [service.value for service in Service]
USERS = [*SERVICES, AGENCY, SCALER]
TOPIC_OF = dict(concrete_topics((OURS, OTHER)))
"""Every topic of the topology, those of two agencies among them, by its name."""

GROUPS = [*(f"{service}.rights" for service in SERVICES), f"agency.{OURS}.rights", f"agency.{OTHER}.rights", "rights"]


def every_rule() -> AclBindingFilter:
    """A filter that every access rule passes."""
    anything: Any = None
    return AclBindingFilter(
        ResourceType.ANY, anything, ResourcePatternType.ANY, anything, anything, AclOperation.ANY, AclPermissionType.ANY
    )


def is_theirs(user: str, topic: Topic, name: str) -> bool:
    """Whether a topic is not that of an agency other than the user's own."""
    return user != AGENCY or name == topic.for_agency(OURS)


def expected(users_of: Callable[[Topic], set[str]], user: str) -> dict[str, str]:
    """The broker's answer about each topic, if the users that the topology names, and nobody else, may do it."""
    return {
        name: GRANTED if user in users_of(topic) and is_theirs(user, topic, name) else TOPIC_REFUSED for name, topic in TOPIC_OF.items()
    }


def own_group(user: str) -> str | None:
    """The one of the groups that the user may join."""
    return {AGENCY: f"agency.{OURS}.rights", SCALER: None}.get(user, f"{user}.rights")


async def attempts(platform: Platform, user: str) -> Attempts:
    """Connected as a user."""
    stack = platform.stack
    credentials = await asyncio.to_thread(stack.agency_client, OURS) if user == AGENCY else credentials_of(stack.folder, user)
    assert credentials is not None, "the broker is secured"
    return Attempts(stack.state.kafka, credentials)


@pytest.mark.parametrize("user", USERS)
async def test_a_user_reads_the_topics_that_the_topology_names_and_no_other(platform: Platform, user: str) -> None:
    tries = await attempts(platform, user)
    assert await tries.read(TOPIC_OF) == expected(lambda topic: set(topic.readers), user)


@pytest.mark.parametrize("user", USERS)
async def test_a_user_writes_to_the_topics_that_the_topology_names_and_to_no_other(platform: Platform, user: str) -> None:
    before = await asyncio.to_thread(platform.log.ends)
    tries = await attempts(platform, user)
    answers = await asyncio.to_thread(tries.write, TOPIC_OF)
    assert answers == expected(lambda topic: {publication.producer for publication in topic.publications}, user)
    after = await asyncio.to_thread(platform.log.ends)
    quiet = [place for place in before if place[0] != CASES.name]  # marks are written there all the time
    assert {place: after[place] for place in quiet} == {place: before[place] for place in quiet}, "an attempt wrote something"


@pytest.mark.parametrize("user", USERS)
async def test_a_user_joins_groups_of_its_own_name_only(platform: Platform, user: str) -> None:
    tries = await attempts(platform, user)
    topic = AGENCY_CASES.for_agency(OURS) if user == AGENCY else CASES.name
    answers = await asyncio.to_thread(tries.join, GROUPS, topic)
    assert answers == {group: GRANTED if group == own_group(user) else GROUP_REFUSED for group in GROUPS}


@pytest.mark.parametrize("user", USERS)
async def test_nobody_rules_the_broker(platform: Platform, user: str) -> None:
    admin = (await attempts(platform, user)).admin
    topic = NewTopic("tuntas.cases.v2", 1, 1)
    rule = AclBinding(
        ResourceType.TOPIC, CASES.name, ResourcePatternType.LITERAL, f"User:{user}", "*", AclOperation.WRITE, AclPermissionType.ALLOW
    )
    password = UserScramCredentialUpsertion("intruder", ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096), b"its password")
    answers = {
        "make a topic": refusal(lambda: admin.create_topics([topic])[topic.topic].result(20)),
        "give itself rights": refusal(lambda: admin.create_acls([rule])[rule].result(20)),
        "make a user": refusal(lambda: admin.alter_user_scram_credentials([password])["intruder"].result(20)),
    }
    assert answers == {
        "make a topic": TOPIC_REFUSED,
        "give itself rights": CLUSTER_REFUSED,
        "make a user": CLUSTER_REFUSED,
    }
    assert admin.describe_acls(every_rule()).result(20) == []  # the client does not report this refusal


async def test_the_autoscaler_sees_how_far_each_service_has_read(platform: Platform) -> None:
    await platform.until_state(await platform.submit(addressed_agency=OURS), "at_agency")
    admin = (await attempts(platform, SCALER)).admin
    place = TopicPartition(CASES.name, 0)
    ends = admin.list_offsets({place: OffsetSpec.latest()})  # type: ignore[no-untyped-call]
    assert ends[place].result(20).offset >= 0
    readers = [f"{service.value}.{'status' if service is Service.INTAKE else 'cases'}" for service in Service]
    for group in readers:

        async def committed(group: str = group) -> bool:
            found = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result(20)
            return CASES.name in {place.topic for place in found.topic_partitions}

        await until(committed, f"offsets of {group}, which are committed once something was read")


async def test_the_rules_on_the_broker_are_the_declared_ones_and_no_others(platform: Platform) -> None:
    operator = Attempts(platform.stack.state.kafka, await operator_of(platform))
    rules = operator.admin.describe_acls(every_rule()).result(20)
    there = {
        (
            rule.principal,
            "cluster" if rule.restype is ResourceType.BROKER else rule.restype.name.lower(),
            rule.name,
            rule.resource_pattern_type is ResourcePatternType.PREFIXED,
            rule.operation.name.replace("_", ""),
        )
        for rule in rules
    }
    # `tuntas ops agencies add` may have made further ones on this platform
    names = operator.admin.list_topics(timeout=20).topics
    agencies = {AGENCY_CASES.agency_of(name) for name in names if re.match(AGENCY_CASES.pattern, name)}
    assert agencies >= set(AGENCIES)
    declared = {
        (f"User:{user.name}", grant.resource, grant.name, grant.prefix, operation.upper())
        for user in (*platform_users(), *agency_users(agencies))
        for grant in user.grants
        for operation in grant.operations
    }
    assert there == declared
    assert len(rules) == len(declared)
    assert {(rule.host, rule.permission_type) for rule in rules} == {("*", AclPermissionType.ALLOW)}


async def operator_of(platform: Platform) -> Credentials:
    """The super user."""
    operator = credentials_of(platform.stack.folder)
    assert operator is not None
    return operator


async def test_nobody_gets_in_without_the_right_password(platform: Platform) -> None:
    bootstrap, operator = platform.stack.state.kafka, await operator_of(platform)
    assert connection_faults(bootstrap, operator.librdkafka()) == set()
    for username in ("operator", "intake", f"agency.{OURS}", "nobody"):
        assert "_AUTHENTICATION" in connection_faults(bootstrap, Credentials(username, "a guess").librdkafka()), username
    assert connection_faults(bootstrap, {}), "a client without a user was let in"


def test_every_topic_has_a_reader_or_a_writer_that_is_tried_here() -> None:
    tried = {who for topic in TOPICS for who in (*topic.readers, *(publication.producer for publication in topic.publications))}
    assert tried <= set(USERS)
