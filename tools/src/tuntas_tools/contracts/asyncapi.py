"""AsyncAPI 3.0 documents: what each service, and an agency's own system, sends and receives."""

from collections.abc import Iterable
from typing import Any

import yaml

from tuntas_contracts.base import Contract
from tuntas_contracts.topology import AGENCY, AGENCY_ACTIONS, AGENCY_CASES, TOPICS, Topic
from tuntas_contracts.vocabulary import Service
from tuntas_tools.contracts.asyncapi_messages import SCHEMAS, message_of
from tuntas_tools.contracts.examples import GoldenExample

Document = dict[str, Any]

_BINDING = "0.5.0"
_ROLES = {
    Service.INTAKE: "Takes reports in by HTTP, guards the personal data of reporters, and shows them their status.",
    Service.TRIAGE: "Verifies and routes what names no agency; owns a case while it is in the national queue or archived.",
    Service.DISPATCH: "Carries cases between the platform and the agencies; owns a case from the agency on, and the register.",
    Service.SLA_MONITOR: "Watches the legal clocks of every case; says what is due, warned of and missed, and decides nothing.",
    Service.NOTIFIER: "Sends reporters, officers and leaders by mail what they must know.",
    AGENCY: "What an agency's own system may read and send. Each agency has topics of its own, and no access to another's.",
}
_DELIVERY = (
    "Delivery is at least once: a message is known again by its `ce_id`, and events of one case are in order by `version`. "
    "Skip message types that you do not know (look at the header `ce_type` before you decode), and ignore fields that "
    "you do not know: both will be added. Where a schema gives a list of values or else a text, other values will be added: take one that "
    "you do not know as `other`, and never refuse the message for it. Whatever would break you comes on a new topic."
)
_AGENCY_DELIVERY = (
    "Times are RFC 3339, in UTC. The business time of a command is the moment at which the broker took it in. A command that can't be "
    "accepted changes nothing and is answered with `ActionRefused` on your cases topic; one that is accepted with `CaseChanged`, which "
    "names the command. Sending a command again under the same `ce_id` is harmless. No personal data of reporters passes here."
)


def documents(version: str, examples: Iterable[GoldenExample]) -> dict[str, Document]:
    """The document of every service and of agencies, by file name without ending. `version` is that of the contracts."""
    known = {(example.type, example.name): example for example in examples}
    return {str(party): _document(str(party), version, known) for party in (*Service, AGENCY)}


def as_yaml(document: Document, command: str) -> str:
    """The file's text, with a first line that says what made it."""
    body = yaml.dump(document, Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, width=120)
    return f"# Made by `{command}` from contracts/src/tuntas_contracts: do not edit.\n{body}"


class _PlainDumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        """References of YAML would only confuse readers here."""
        return True


def _document(party: str, version: str, examples: dict[tuple[str, str], GoldenExample]) -> Document:
    topics = [topic for topic in TOPICS if party in topic.readers or _written(topic, party)]
    kinds = dict.fromkeys(kind for topic in topics for kind in _concerning(topic, party))
    delivery = f"{_DELIVERY}\n\n{_AGENCY_DELIVERY}" if party == AGENCY else _DELIVERY
    return {
        "asyncapi": "3.0.0",
        "id": f"urn:tuntas:{party}",
        "info": {
            "title": f"Tuntas: {'agencies' if party == AGENCY else party}",
            "version": version,
            "description": f"{_ROLES[Service(party) if party != AGENCY else AGENCY]}\n\n{delivery}",
        },
        "defaultContentType": "application/json",
        "servers": {"platform": _server()},
        "channels": {_name(topic): _channel(topic, party) for topic in topics},
        "operations": dict(operation for topic in topics for operation in _operations(topic, party)),
        "components": {
            "schemas": SCHEMAS,
            "messages": {kind.__name__: message_of(kind, _key_of(kind), examples.get((kind.__name__, "full"))) for kind in kinds},
            "securitySchemes": {
                "scram": {
                    "type": "scramSha512",
                    "description": "SCRAM-SHA-512 over TLS. Each service and each agency is a user of its own, and the broker's "
                    "access lists name the topics of each.",
                }
            },
        },
    }


def _server() -> Document:
    return {
        "host": "{host}:{port}",
        "protocol": "kafka-secure",
        "protocolVersion": "4.3",
        "description": "The platform's Kafka.",
        "variables": {
            "host": {"default": "kafka.tuntas.example", "description": "A bootstrap server, named by the operator."},
            "port": {"default": "9093"},
        },
        "security": [{"$ref": "#/components/securitySchemes/scram"}],
        "bindings": {"kafka": {"bindingVersion": _BINDING}},
    }


def _channel(topic: Topic, party: str) -> Document:
    channel: Document = {
        "address": topic.name,
        "title": topic.name,
        "summary": f"{topic.purpose}.",
        "description": _described(topic),
        "messages": {k.__name__: {"$ref": f"#/components/messages/{k.__name__}"} for k in _concerning(topic, party)},
    }
    if topic.per_agency:
        channel["parameters"] = {"agency": {"description": "The agency's code in the register.", "examples": ["kemenkes", "kota-35-78"]}}
    config: Document = dict(topic.config)
    config["cleanup.policy"] = [config["cleanup.policy"]]
    for name in ("retention.ms", "max.message.bytes"):
        config[name] = int(config[name])
    channel["bindings"] = {
        "kafka": {
            "topic": topic.name,
            "partitions": topic.partitions,
            "replicas": 3,
            "topicConfiguration": config,
            "bindingVersion": _BINDING,
        }
    }
    return channel


def _described(topic: Topic) -> str:
    kept = "for ever" if topic.retention_ms < 0 else f"for {topic.retention_ms // 86_400_000} days"
    if topic.compacted:
        kept = "as the newest one of each key (compacted)"
    said = f"Key: {topic.key}. Records are kept {kept}."
    if topic.append_time:
        said += " A record's timestamp is the moment at which the broker took it in."
    return said


def _operations(topic: Topic, party: str) -> Iterable[tuple[str, Document]]:
    sent, received = _written(topic, party), topic.readers.get(party, ())
    if sent:
        operation = _operation(topic, "send", f"Write: {topic.purpose.lower()}.", sent)
        if party == AGENCY and topic is AGENCY_ACTIONS:
            operation["reply"] = {
                "channel": {"$ref": f"#/channels/{_name(AGENCY_CASES)}"},
                "messages": _references(AGENCY_CASES, [k for k in AGENCY_CASES.messages() if k.__name__ != "CaseAssigned"]),
            }
        yield f"send-{_name(topic)}", operation
    if received:
        operation = _operation(topic, "receive", f"Read: {topic.purpose.lower()}.", received)
        group = r"^agency\.[a-z0-9-]+\..+$" if party == AGENCY else rf"^{party}\.[a-z0-9-]+$"
        described = "`agency.<code>.<any name>`: the access list allows no other" if party == AGENCY else f"`{party}.<subscription>`"
        operation["bindings"] = {
            "kafka": {"groupId": {"type": "string", "pattern": group, "description": described}, "bindingVersion": _BINDING}
        }
        yield f"receive-{_name(topic)}", operation


def _operation(topic: Topic, action: str, summary: str, kinds: Iterable[type[Contract]]) -> Document:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{_name(topic)}"},
        "summary": summary,
        "messages": _references(topic, kinds),
    }


def _references(topic: Topic, kinds: Iterable[type[Contract]]) -> list[Document]:
    return [{"$ref": f"#/channels/{_name(topic)}/messages/{kind.__name__}"} for kind in kinds]


def _concerning(topic: Topic, party: str) -> list[type[Contract]]:
    """The types that this party writes or acts upon, in the topic's order."""
    mine = {*_written(topic, party), *topic.readers.get(party, ())}
    return [kind for kind in topic.messages() if kind in mine]


def _written(topic: Topic, party: str) -> tuple[type[Contract], ...]:
    return tuple(kind for publication in topic.publications if publication.producer == party for kind in publication.messages)


def _key_of(kind: type[Contract]) -> str:
    """What the record key of this type is; a type has the same key on every topic."""
    return next(topic.key for topic in TOPICS if kind in topic.messages())


def _name(topic: Topic) -> str:
    return topic.name.removeprefix("tuntas.").removesuffix(".v1").removesuffix(".{agency}")
