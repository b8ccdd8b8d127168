"""The AsyncAPI documents are valid AsyncAPI 3.0 and tell what the topology says."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from tests.contracts.checkout import CHECKOUT
from tuntas_contracts.topology import AGENCY, TOPICS
from tuntas_contracts.vocabulary import Service

PARTIES = (*(str(service) for service in Service), AGENCY)
each_party = pytest.mark.parametrize("party", PARTIES)


@lru_cache
def document(party: str) -> dict[str, Any]:
    told: dict[str, Any] = yaml.load((CHECKOUT.asyncapi / f"{party}.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
    return told


@lru_cache
def official_schema() -> Draft7Validator:
    file = Path(__file__).parent / "vendor" / "asyncapi" / "asyncapi-3.0.0.json"
    return Draft7Validator(json.loads(file.read_text(encoding="utf-8")))


def resolve(root: dict[str, Any], reference: str) -> Any:
    found: Any = root
    for step in reference.removeprefix("#/").split("/"):
        found = found[step.replace("~1", "/")]
    return found


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for part in value.values() for found in references(part)]
    return [found for part in value for found in references(part)] if isinstance(value, list) else []


@each_party
def test_it_is_valid_asyncapi_3(party: str) -> None:
    faults = [f"{error.json_path}: {error.message[:200]}" for error in official_schema().iter_errors(document(party))]
    assert faults == []


def test_the_official_schema_refuses_what_is_wrong() -> None:
    wrong = json.loads(json.dumps(document(AGENCY)))
    wrong["operations"]["send-agency-actions"]["action"] = "shout"
    assert not official_schema().is_valid(wrong)


@each_party
def test_every_reference_leads_somewhere(party: str) -> None:
    root = document(party)
    for reference in references(root):
        if reference.startswith("#"):
            assert resolve(root, reference)
        else:
            assert (CHECKOUT.asyncapi / reference).resolve().is_file(), reference


@each_party
def test_operations_are_those_of_the_topology(party: str) -> None:
    told = set()
    for operation in document(party)["operations"].values():
        channel = resolve(document(party), operation["channel"]["$ref"])
        for message in operation["messages"]:
            assert message["$ref"].startswith(f"{operation['channel']['$ref']}/messages/")
            told.add((operation["action"], channel["address"], message["$ref"].rpartition("/")[2]))
    expected = set()
    for topic in TOPICS:
        expected |= {("send", topic.name, kind.__name__) for p in topic.publications if p.producer == party for kind in p.messages}
        expected |= {("receive", topic.name, kind.__name__) for kind in topic.readers.get(party, ())}
    assert told == expected


@each_party
def test_channels_carry_the_topics_settings(party: str) -> None:
    by_name = {topic.name: topic for topic in TOPICS}
    for channel in document(party)["channels"].values():
        topic, kafka = by_name[channel["address"]], channel["bindings"]["kafka"]
        assert kafka["partitions"] == topic.partitions
        assert kafka["topicConfiguration"]["retention.ms"] == topic.retention_ms
        assert ("parameters" in channel) == topic.per_agency


def test_an_agency_sees_only_topics_of_its_own() -> None:
    channels = document(AGENCY)["channels"].values()
    assert channels
    assert all("{agency}" in channel["address"] and "agency" in channel["parameters"] for channel in channels)


@each_party
def test_messages_have_envelope_key_and_example(party: str) -> None:
    for name, message in document(party)["components"]["messages"].items():
        assert {"$ref": "#/components/schemas/Envelope"} in message["headers"]["allOf"]
        assert "key" in message["bindings"]["kafka"], name
        assert message["examples"][0]["headers"]["ce_type"] == f"id.tuntas.{name}"


@each_party
def test_who_connects_must_say_who_it_is(party: str) -> None:
    server = document(party)["servers"]["platform"]
    (security,) = server["security"]
    assert resolve(document(party), security["$ref"])["type"] == "scramSha512"
    assert server["protocol"] == "kafka-secure"
