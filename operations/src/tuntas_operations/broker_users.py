"""Makes the users of the stack's broker, and gives them the rights that `deploy/k8s/platform` declares: those, and no others."""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # they are there, their stubs are not
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)

from tuntas_operations.credentials import ITERATIONS, Credentials
from tuntas_operations.errors import StackError
from tuntas_operations.kafka_clients import server_answers
from tuntas_operations.rights import BrokerUser, Grant

_WITHIN_S = 30.0
_TYPES = {"topic": ResourceType.TOPIC, "group": ResourceType.GROUP, "cluster": ResourceType.BROKER}
_OPERATIONS = {
    "Describe": AclOperation.DESCRIBE,
    "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS,
    "Read": AclOperation.READ,
    "Write": AclOperation.WRITE,
}
_ANY: Any = None
EVERY_RULE = AclBindingFilter(ResourceType.ANY, _ANY, ResourcePatternType.ANY, _ANY, _ANY, AclOperation.ANY, AclPermissionType.ANY)


def provide_passwords(bootstrap: str, operator: Credentials, users: Iterable[Credentials]) -> None:
    """Give users their passwords, in one request; each user is made by its first.

    Raises:
        StackError: the broker refuses it or does not answer.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0, **operator.librdkafka()})
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, ITERATIONS)
    wanted: list[UserScramCredentialAlteration] = [
        UserScramCredentialUpsertion(user.username, info, user.password.encode()) for user in users
    ]
    _done("does not make a user", admin.alter_user_scram_credentials(wanted, request_timeout=_WITHIN_S).items())


def provide_rights(bootstrap: str, operator: Credentials, users: Iterable[BrokerUser]) -> None:
    """Give users the rights that they lack, in one request, and take from them what they have beside.

    Users that are not named keep what they have: they are somebody else's.

    Raises:
        StackError: the broker refuses it or does not answer.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0, **operator.librdkafka()})
    wanted = {rule for user in users for rule in rules_of(user)}
    principals = {rule.principal for rule in wanted}
    try:
        had = {rule for rule in admin.describe_acls(EVERY_RULE, request_timeout=_WITHIN_S).result() if rule.principal in principals}
    except KafkaException as error:
        raise StackError(f"Kafka does not give its access rules: {error.args[0].str()}") from error
    if lacking := wanted - had:
        _done("does not make an access rule", admin.create_acls(list(lacking), request_timeout=_WITHIN_S).items())
    if surplus := had - wanted:
        _done("does not delete an access rule", admin.delete_acls([_filter(rule) for rule in surplus], request_timeout=_WITHIN_S).items())


def provide_user(bootstrap: str, operator: Credentials, user: Credentials) -> None:
    """Make one user, or give it this password, and wait until it can connect.

    Raises:
        StackError: the broker refuses it, or the user can't connect in time.
    """
    provide_passwords(bootstrap, operator, [user])
    deadline = time.monotonic() + _WITHIN_S
    # The controller has it; each broker that runs learns of it a moment later.
    for broker in bootstrap.split(","):
        while not server_answers(broker, client=user.librdkafka()) and server_answers(broker, client=operator.librdkafka()):
            if time.monotonic() > deadline:
                raise StackError(f"the broker made the user {user.username}, but {broker} does not let it in")


def rules_of(user: BrokerUser) -> Iterator[AclBinding]:
    """A user's rights as the broker's access rules."""
    for grant in user.grants:
        pattern = ResourcePatternType.PREFIXED if grant.prefix else ResourcePatternType.LITERAL
        for operation in grant.operations:
            yield _rule(user.name, grant, pattern, _OPERATIONS[operation])


def _rule(user: str, grant: Grant, pattern: ResourcePatternType, operation: AclOperation) -> AclBinding:
    return AclBinding(_TYPES[grant.resource], grant.name, pattern, f"User:{user}", "*", operation, AclPermissionType.ALLOW)


def _filter(rule: AclBinding) -> AclBindingFilter:
    return AclBindingFilter(
        rule.restype, rule.name, rule.resource_pattern_type, rule.principal, rule.host, rule.operation, rule.permission_type
    )


def _done(refusal: str, answers: Iterable[tuple[object, Future[Any]]]) -> None:
    for asked, answer in answers:
        try:
            answer.result()
        except KafkaException as error:
            raise StackError(f"Kafka {refusal} ({asked}): {error.args[0].str()}") from error
