"""What `tuntas ops topics` would change, and what it leaves with a reason."""

import pytest

from tuntas_contracts.topology import AGENCY_CASES, CASES, SLA
from tuntas_operations.topic_plan import Change, TopicFound, plan, topic_of
from tuntas_operations.topics import TopicSpec, topics_for

WANTED = topics_for(["kemenkes"])


def there(spec: TopicSpec, **changes: object) -> TopicFound:
    sound = {"name": spec.name, "partitions": spec.partitions, "config": dict(spec.config), "set_here": list(spec.config)}
    return TopicFound(**(sound | changes))  # type: ignore[arg-type]


def found(*others: TopicFound) -> dict[str, TopicFound]:
    return {spec.name: there(spec) for spec in WANTED} | {other.name: other for other in others}


def spec_of(name: str) -> TopicSpec:
    return next(spec for spec in WANTED if spec.name == name)


def test_a_cluster_as_it_ought_to_be_is_left_alone() -> None:
    assert plan(WANTED, found()) == []


def test_topics_are_made_in_the_order_of_the_topology() -> None:
    changes = plan(WANTED, {})
    assert [change.topic for change in changes] == [spec.name for spec in WANTED]
    assert {change.kind for change in changes} == {"missing"}


def test_a_topic_that_the_user_may_not_see_is_not_called_missing() -> None:
    [change] = plan(WANTED[:1], {}, unseen=[WANTED[0].name])
    assert change.kind == "unseen"
    assert change.refused is not None
    assert "Describe" in change.refused


@pytest.mark.parametrize(
    ("name", "partitions", "empty", "reason"),
    [
        (SLA.name, 6, True, None),
        (SLA.name, 6, False, "later messages of a key"),
        (CASES.name, 6, True, None),
        (CASES.name, 6, False, "TUNTAS_OUTBOX_SHARDS"),
        (CASES.name, 48, True, "takes no partition away"),
    ],
)
def test_partitions_are_added_where_no_order_is_lost(name: str, partitions: int, empty: bool, reason: str | None) -> None:
    [change] = plan(WANTED, found(there(spec_of(name), partitions=partitions, empty=empty)))
    assert change.kind == "partitions"
    assert change.refused is None if reason is None else reason in (change.refused or "")


def test_a_setting_in_force_by_default_is_right_too_and_a_cluster_may_choose_its_replicas() -> None:
    sla = spec_of(SLA.name)
    chosen = there(sla, set_here=["min.insync.replicas"], config={**sla.config, "min.insync.replicas": "2"})
    assert plan(WANTED, found(chosen)) == []


def test_settings_are_set_and_those_made_by_hand_only_reported() -> None:
    sla = spec_of(SLA.name)
    config = {**sla.config, "retention.ms": "1", "retention.bytes": "9"}
    setting, by_hand = plan(WANTED, found(there(sla, config=config, set_here=list(config))))
    assert (setting.setting, setting.wanted, setting.prune) == ("retention.ms", sla.config["retention.ms"], False)
    assert (by_hand.setting, by_hand.wanted, by_hand.prune) == ("retention.bytes", None, True)


def test_unknown_topics_of_ours_are_reported_but_none_that_an_agency_may_have() -> None:
    others = [TopicFound(name=name, partitions=1) for name in ("tuntas.old.v1", "orders", AGENCY_CASES.for_agency("kemenhub"))]

    def unknown(**what: object) -> list[Change]:
        return plan(WANTED, found(*others), **what)  # type: ignore[arg-type]

    assert [change.topic for change in unknown()] == [AGENCY_CASES.for_agency("kemenhub"), "tuntas.old.v1"]
    assert all(change.prune and change.refused is None for change in unknown())
    assert [change.topic for change in unknown(known=[AGENCY_CASES.for_agency("kemenhub")])] == ["tuntas.old.v1"]
    assert [change.refused is None for change in unknown(register_is_complete=False)] == [False, True]


@pytest.mark.parametrize(
    ("name", "family"),
    [(CASES.name, CASES), (AGENCY_CASES.for_agency("kota-32-73"), AGENCY_CASES), ("tuntas.old.v1", None), ("orders", None)],
)
def test_a_name_leads_to_its_entry_in_the_topology(name: str, family: object) -> None:
    assert topic_of(name) is family
