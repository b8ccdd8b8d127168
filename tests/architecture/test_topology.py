"""What services read and publish is what the topology says, no more and no less."""

import ast
from collections import defaultdict
from collections.abc import Collection, Iterator
from importlib import import_module
from pathlib import Path

import pytest

from tests.architecture.built_services import built, subscriptions
from tests.architecture.sources import SERVICES, calls, code, shown, tree
from tuntas_chassis.messaging.watermarks import WatermarkScope
from tuntas_contracts import topology
from tuntas_contracts.agencies import AgencyCommand
from tuntas_contracts.base import Contract
from tuntas_contracts.cases import ReporterErased
from tuntas_contracts.topology import AGENCY, AGENCY_ACTIONS, CASES, DAY_MS, INPUTS, TOPICS, WATERMARKS, Topic, message_types
from tuntas_contracts.watermarks import WatermarkAdvanced

each_service = pytest.mark.parametrize("service", SERVICES)
PASSED_ON: dict[str, set[type[Contract]]] = {"triage": {*INPUTS, ReporterErased}, "dispatch": set(INPUTS)}
"""What a service repeats as it came, and so never makes (docs/adr: inputs and ownership)."""


def _read(service: str) -> dict[str, set[type[Contract]]]:
    """What a service's subscriptions take, by the topology's topic."""
    found: dict[str, set[type[Contract]]] = defaultdict(set)
    for subscription in subscriptions(service):
        topics = [
            t for t in TOPICS if t.name in subscription.topics or (subscription.pattern is not None and t.pattern == subscription.pattern)
        ]
        assert len(topics) == len(subscription.topics) + (subscription.pattern is not None), "each is a topic of the topology"
        for topic in topics:
            found[topic.name] |= set(subscription.types)
    return found


@each_service
def test_it_reads_what_the_topology_lets_it_read(service: str) -> None:
    assert _read(service) == {topic.name: set(topic.readers[service]) for topic in TOPICS if service in topic.readers}


@each_service
def test_its_subscriptions_fit_together(service: str) -> None:
    names = [subscription.name for subscription in subscriptions(service)]
    assert len(names) == len(set(names))
    for subscription in subscriptions(service):
        assert set(subscription.after) <= set(names) - {subscription.name}
        assert set(subscription.track_own) <= set(subscription.types)


@each_service
def test_own_events_that_it_tracks_are_ones_that_it_publishes(service: str) -> None:
    own = {message for topic in TOPICS for p in topic.publications if p.producer == service for message in p.messages}
    for subscription in subscriptions(service):
        assert set(subscription.track_own) <= own


@each_service
def test_who_publishes_watermarks_is_who_the_topology_says(service: str) -> None:
    publishes = service in {p.producer for p in WATERMARKS.publications}
    assert built(service).watermarks == (WatermarkScope(CASES.name, WATERMARKS.name) if publishes else None)


@each_service
def test_watermarks_wait_for_all_that_a_publisher_of_them_decides_on(service: str) -> None:
    """Intake decides nothing on what it reads: its commands come by HTTP."""
    wait = service in {p.producer for p in WATERMARKS.publications} - {"intake"}
    decides = {CASES.name, AGENCY_ACTIONS.name}
    read = {topic.name: s for s in subscriptions(service) for topic in TOPICS if topic.name in s.topics or topic.pattern == s.pattern}
    assert {name for name, s in read.items() if s.delays_watermarks} == (decides & read.keys() if wait else set())


def test_nothing_is_written_over_and_over_on_a_topic_that_is_kept() -> None:
    assert WATERMARKS.retention_ms == DAY_MS
    assert [t.name for t in TOPICS if WatermarkAdvanced in t.messages()] == [WATERMARKS.name]


def test_every_reader_and_producer_is_a_service_or_an_agency() -> None:
    named = {p.producer for topic in TOPICS for p in topic.publications} | {reader for topic in TOPICS for reader in topic.readers}
    assert named <= {*SERVICES, AGENCY}


# -- what is published, read from the source ----------------------------------------------------------------------------


def _topics_of(service: str) -> dict[str, set[type[Contract]]]:
    return {t.name: {m for p in t.publications if p.producer == service for m in p.messages} for t in TOPICS} | {"": set()}


def _published_topics(path: Path) -> Iterator[tuple[Topic | None, ast.Call]]:
    """The topology's topic that each `Outgoing(…)` names; None where it is a variable."""
    for call in calls(path, "Outgoing"):
        topic_argument = call.args[0] if call.args else next(k.value for k in call.keywords if k.arg == "topic")
        root: ast.expr = topic_argument
        while isinstance(root, ast.Attribute | ast.Call):
            root = root.value if isinstance(root, ast.Attribute) else root.func
        named = getattr(topology, root.id, None) if isinstance(root, ast.Name) else None
        yield named if isinstance(named, Topic) else None, call


def _assigned(path: Path, name: str) -> set[str]:
    """The topology's names in what is assigned to a variable anywhere in the file."""
    return {
        inner.id
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets)
        for inner in ast.walk(node.value)
        if isinstance(inner, ast.Name) and isinstance(getattr(topology, inner.id, None), Topic)
    }


@each_service
def test_each_topic_that_it_writes_to_is_one_that_the_topology_gives_it(service: str) -> None:
    writable = {topic.name for topic in TOPICS for p in topic.publications if p.producer == service}
    used: set[str] = set()
    for path in code(SERVICES[service]):
        for topic, call in _published_topics(path):
            if topic is not None:
                found = {topic.name}
            else:
                topic_argument = call.args[0]
                names = _assigned(path, topic_argument.id) if isinstance(topic_argument, ast.Name) else set()
                assert names, f"{shown(path, call)}: name a topic of tuntas_contracts.topology"
                found = {getattr(topology, name).name for name in names}
            assert found <= writable, f"{shown(path, call)} writes to {found - writable}"
            used |= found
    assert used == writable - {WATERMARKS.name}, f"{service} never writes to {writable - used}, though the topology says so"


def _made(service: str) -> dict[type[Contract], str]:
    """Every message type that a service's code makes, and where."""
    types = message_types()
    made: dict[type[Contract], str] = {}
    for path in code(SERVICES[service]):
        module = import_module(".".join(path.relative_to(SERVICES[service].parent).with_suffix("").parts))
        aliases = _aliases(path, types)
        for call in calls(path, *types, *aliases):
            called = call.func.id if isinstance(call.func, ast.Name) else ""
            for name in aliases.get(called, {called} & types.keys()):
                if getattr(module, name, None) is types[name]:
                    made[types[name]] = shown(path, call)
    return made


def _aliases(path: Path, names: Collection[str]) -> dict[str, set[str]]:
    """Variables that hold one message type or another, as in `kind = A if … else B`."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.IfExp) and isinstance(node.targets[0], ast.Name):
            types = {ast.unparse(branch) for branch in (node.value.body, node.value.orelse)} & set(names)
            if types:
                found[node.targets[0].id] = types
    return found


@each_service
def test_it_makes_the_messages_that_the_topology_lets_it_publish_and_no_others(service: str) -> None:
    allowed = {message for topic in TOPICS for p in topic.publications if p.producer == service for message in p.messages}
    made = _made(service)
    strange = {kind.__name__: where for kind, where in made.items() if kind not in allowed and not issubclass(kind, AgencyCommand)}
    assert strange == {}
    never = allowed - made.keys() - PASSED_ON.get(service, set()) - {WatermarkAdvanced}
    assert never == set(), f"{service} never makes {never}: take them out of the topology, or publish them"


def test_each_name_belongs_to_one_topic_or_family() -> None:
    names = {topic.for_agency("kab-bekasi") if topic.per_agency else topic.name: topic for topic in TOPICS}
    for name, owner in names.items():
        assert [topic for topic in TOPICS if topic.includes(name)] == [owner]
        assert not any(topic.includes(name + "x") or topic.includes("x" + name) for topic in TOPICS)
