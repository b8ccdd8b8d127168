"""Who may do what on the broker: this user what the operators' commands need, the platform's users what the topology says, no more."""

from collections import defaultdict
from collections.abc import Iterable

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AclBinding, AclOperation, AclPermissionType, ResourceType  # type: ignore[attr-defined]

from tuntas_contracts.topology import TOPICS
from tuntas_operations.broker_users import EVERY_RULE, rules_of
from tuntas_operations.doctor.findings import Finding, not_checked, ok, wrong
from tuntas_operations.kafka_clients import REQUEST_S, Administration
from tuntas_operations.rights import BrokerUser, agency_user, platform_users

_LOOK = {"Read": AclOperation.READ, "Describe": AclOperation.DESCRIBE, "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS}
_CHANGE = {"Alter": AclOperation.ALTER, "AlterConfigs": AclOperation.ALTER_CONFIGS, "Create": AclOperation.CREATE}
_NAMES = {operation: name for name, operation in (_LOOK | _CHANGE | {"Write": AclOperation.WRITE}).items()}
_AGENCY = "User:agency."
_SHOWN = 3


def own_rights(administration: Administration) -> Finding:
    """What this user may do on the platform's topics."""
    about, who = "kafka rights", administration.user or "a client without a user"
    names = [topic.name for topic in TOPICS if not topic.per_agency]
    answers = administration.client.describe_topics(TopicCollection(names), include_authorized_operations=True, request_timeout=REQUEST_S)
    lacking: dict[str, list[str]] = {}
    may_change = True
    for name, answer in answers.items():
        try:
            allowed = {AclOperation(operation) for operation in answer.result().authorized_operations or ()}
        except KafkaException as error:
            if error.args[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
                lacking[name] = list(_LOOK)
            continue  # a topic that is not there is a matter of the topics, not of rights
        if missing := [word for word, operation in _LOOK.items() if operation not in allowed]:
            lacking[name] = missing
        may_change &= {AclOperation.ALTER, AclOperation.ALTER_CONFIGS} <= allowed
    if lacking:
        shown = "; ".join(f"{' and '.join(words)} on {name}" for name, words in list(lacking.items())[:_SHOWN])
        more = f" and {len(lacking) - _SHOWN} more topics" if len(lacking) > _SHOWN else ""
        return wrong(about, f"{who} lacks {shown}{more}", "give it these rights, or use a user that administrates the cluster")
    return ok(
        about, f"{who} may look at the topics" + ("" if may_change else ", but not change them: `tuntas ops topics apply` will be refused")
    )


def platform_rights(administration: Administration) -> list[Finding]:
    """What the services', the scaler's and the agencies' users may do, against what the topology gives them."""
    about = "kafka users"
    try:
        rules = administration.client.describe_acls(EVERY_RULE, request_timeout=REQUEST_S).result()
    except KafkaException as error:
        reason: KafkaError = error.args[0]
        if reason.code() == KafkaError.SECURITY_DISABLED:
            return [
                not_checked(
                    about, "the broker has no authorizer, so every client may do everything", "secure it where it is not your own machine's"
                )
            ]
        return [not_checked(about, f"the users' rights can't be read ({reason.str()})", "give this user Describe on the cluster")]
    had: dict[str, set[AclBinding]] = defaultdict(set)
    for rule in rules:
        if rule.permission_type is AclPermissionType.ALLOW:
            had[rule.principal].add(rule)
    agencies = sorted(principal.removeprefix(_AGENCY) for principal in had if principal.startswith(_AGENCY))
    users = [*platform_users(), *(agency_user(code) for code in agencies)]
    faults = [fault for user in users if (fault := _fault(user, had[f"User:{user.name}"]))]
    if not faults:
        return [ok(about, f"{len(users):,} users have the rights that the topology gives them, and no others")]
    return [wrong(about, fault, "apply the users of deploy/k8s/platform, or give and take these rights") for fault in faults]


def _fault(user: BrokerUser, had: set[AclBinding]) -> str | None:
    wanted = set(rules_of(user))
    lacks, surplus = wanted - had, had - wanted
    deviations = [f"lacks {_list(lacks)}"] if lacks else []
    if surplus:
        deviations.append(f"has {_list(surplus)} beside its own")
    return f"{user.name} {' and '.join(deviations)}" if deviations else None


def _list(rules: Iterable[AclBinding]) -> str:
    words = sorted(f"{_named(AclOperation(rule.operation))} on {ResourceType(rule.restype).name.lower()} {rule.name}" for rule in rules)
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return ", ".join(words[:_SHOWN]) + more


def _named(operation: AclOperation) -> str:
    return _NAMES.get(operation) or operation.name.title()
