"""Broker, database and their users: generated from the topology and the register, with the least rights."""

import pytest

from dispatch.domain.register import load_register
from tests.deploy.compose_file import SERVICES, module_of
from tests.support.k8s_manifests import K8S, OVERLAYS, Manifest, containers, of_kind, overlay, parse, pod_templates, settings_of
from tuntas_contracts.topology import AGENCIES, AGENCY_ACTIONS, AGENCY_CASES, CASES, NOTICES, SLA, TOPICS, WATERMARKS, concrete_topics
from tuntas_contracts.vocabulary import Service
from tuntas_operations.rights import BrokerUser, agency_user, agency_users, platform_users, scaler_user, service_user
from tuntas_tools.k8s.generated import differences
from tuntas_tools.k8s.secrets import random_secrets, secret_entries

pytestmark = pytest.mark.timeout(1200)  # the first one builds kustomize where the machine has none

OPERATORS_MAKE = {"tuntas-cluster-ca-cert", "tuntas-postgres-ca", "kafka-user-operations", "kafka-user-scaler", "tuntas-tls"}
README = (K8S / "README.md").read_text(encoding="utf-8")


def generated(name: str) -> dict[str, Manifest]:
    return {o["metadata"]["name"]: o["spec"] for o in parse((K8S / "platform" / name).read_text(encoding="utf-8"))}


def may(user: BrokerUser, operation: str, resource: str, name: str) -> bool:
    """As the broker's authorizer decides: Describe comes with Read and with Write."""
    wanted = {operation, "Read", "Write"} if operation == "Describe" else {operation}
    return any(
        grant.resource == resource
        and bool(wanted & set(grant.operations))
        and (name.startswith(grant.name) if grant.prefix else name == grant.name)
        for grant in user.grants
    )


def test_what_is_generated_is_up_to_date() -> None:
    assert differences(K8S) == []


def test_every_topic_has_an_object_with_its_settings() -> None:
    codes = [agency.code for agency in load_register()]
    there = generated("kafka/generated/topics.yaml") | generated("agencies/generated/topics.yaml")
    wanted = {name: {"partitions": topic.partitions, "config": topic.config} for name, topic in concrete_topics(codes)}
    assert there == wanted
    assert len(there) == len([t for t in TOPICS if not t.per_agency]) + 2 * len(codes)


@pytest.mark.parametrize("service", Service)
def test_a_service_may_do_what_the_topology_says_and_no_more(service: Service) -> None:
    user = service_user(service)
    for name, topic in concrete_topics(["kemenkes", "kemendikdasmen"]):
        assert may(user, "Read", "topic", name) == (service in topic.readers), name
        assert may(user, "Write", "topic", name) == any(p.producer == service for p in topic.publications), name
    for other in Service:
        assert may(user, "Read", "group", f"{other}.cases") == (other == service)
    assert not may(user, "Read", "group", "agency.kemenkes.cases")
    assert not may(user, "Describe", "topic", "__consumer_offsets")


def test_rights_by_name() -> None:
    """By hand, so that a change of the topology that widens a right is seen."""
    assert {g.name for g in service_user(Service.NOTIFIER).grants if "Write" in g.operations} == {NOTICES.name}
    assert {g.name for g in service_user(Service.SLA_MONITOR).grants if "Write" in g.operations} == {CASES.name, SLA.name}
    assert {g.name for g in service_user(Service.TRIAGE).grants if "Read" in g.operations} == {CASES.name, AGENCIES.name, "triage."}
    assert {(g.name, g.operations, g.prefix) for g in service_user(Service.DISPATCH).grants} == {
        (CASES.name, ("Read", "Write"), False),
        (AGENCIES.name, ("Read", "Write"), False),  # read back after a restore
        ("tuntas.agency-cases.", ("Write",), True),
        ("tuntas.agency-actions.", ("Read",), True),
        (WATERMARKS.name, ("Write",), False),
        ("dispatch.", ("Read",), True),
    }


def test_an_agency_reaches_its_own_pair_of_topics_and_nothing_of_another() -> None:
    codes = [agency.code for agency in load_register()]
    users = {user.name: user for user in agency_users(codes)}
    for code in codes:
        user = users[f"agency.{code}"]
        assert {(g.resource, g.name, g.operations, g.prefix) for g in user.grants} == {
            ("topic", AGENCY_CASES.for_agency(code), ("Read",), False),
            ("topic", AGENCY_ACTIONS.for_agency(code), ("Write",), False),
            ("group", f"agency.{code}.", ("Read",), True),
        }
        assert user.quota
    assert len(users) == len(codes)


def test_a_code_that_begins_as_another_opens_nothing() -> None:
    """Group prefixes end with a dot, which no code has."""
    assert not may(agency_user("kota-bogor"), "Read", "group", "agency.kota-bogor-barat.cases")
    assert may(agency_user("kota-bogor"), "Read", "group", "agency.kota-bogor.cases")


def test_the_autoscaler_sees_lag_and_reads_nothing() -> None:
    user = scaler_user()
    assert {operation for grant in user.grants for operation in grant.operations} == {"Describe"}
    for service in Service:
        assert may(user, "Describe", "group", f"{service}.cases")
    for topic in (CASES.name, SLA.name, AGENCIES.name, AGENCY_ACTIONS.for_agency("kemenkes")):
        assert may(user, "Describe", "topic", topic)
    assert not may(user, "Read", "topic", CASES.name)


def test_users_are_written_as_they_are_meant() -> None:
    there = generated("kafka/generated/users.yaml") | generated("agencies/generated/users.yaml")
    users = [*platform_users(), *agency_users(agency.code for agency in load_register())]
    assert list(there) == [user.name for user in users]
    for user in users:
        spec = there[user.name]
        rules = {
            (
                r["resource"]["type"],
                r["resource"].get("name", "kafka-cluster"),
                tuple(r["operations"]),
                r["resource"].get("patternType") == "prefix",
            )
            for r in spec["authorization"]["acls"]
        }
        assert rules == {(g.resource, g.name, g.operations, g.prefix) for g in user.grants}
        assert spec["authentication"]["type"] == "scram-sha-512"
        assert ("quotas" in spec) == user.name.startswith("agency.")
        if user.name in SERVICES:
            reference = spec["authentication"]["password"]["valueFrom"]["secretKeyRef"]
            assert reference["key"] in secret_entries()[reference["name"]]


@pytest.mark.parametrize("name", ["staging", "production"])
def test_the_broker_keeps_what_it_acknowledged(name: str) -> None:
    objects = overlay(name)
    kafka = of_kind(objects, "Kafka")["tuntas"]["spec"]["kafka"]
    config = kafka["config"]
    assert (config["default.replication.factor"], config["min.insync.replicas"]) == (3, 2)
    assert config["offsets.topic.replication.factor"] == config["transaction.state.log.replication.factor"] == 3
    assert config["auto.create.topics.enable"] is False
    assert kafka["authorization"] == {"type": "simple"}
    assert kafka["rack"]["topologyKey"] == "topology.kubernetes.io/zone"
    for listener in kafka["listeners"]:
        assert listener["tls"] is True
        assert listener["authentication"] == {"type": "scram-sha-512"}
    pools = of_kind(objects, "KafkaNodePool")
    assert {n: (p["spec"]["roles"], p["spec"]["replicas"]) for n, p in pools.items()} == {
        "controller": (["controller"], 3),
        "broker": (["broker"], 3),
    }
    for topic in of_kind(objects, "KafkaTopic").values():
        assert "replicas" not in topic["spec"], "the broker says it in one place"
    assert all(p["spec"]["storage"]["volumes"][0]["deleteClaim"] is False for p in pools.values())


def test_the_operators_of_topics_and_users_hold_all_of_them_at_once() -> None:
    """Each operator offers itself every object when it starts, and ends itself where its queue is full."""
    template = of_kind(overlay("production"), "Kafka")["tuntas"]["spec"]["entityOperator"]["template"]
    queues = {e["name"]: int(e["value"]) for part in template.values() for e in part["env"] if e["name"].endswith("QUEUE_SIZE")}
    topics = generated("kafka/generated/topics.yaml") | generated("agencies/generated/topics.yaml")
    users = generated("kafka/generated/users.yaml") | generated("agencies/generated/users.yaml")
    assert len(topics) < queues["STRIMZI_MAX_QUEUE_SIZE"] / 4
    assert len(users) < queues["STRIMZI_WORK_QUEUE_SIZE"] / 4


@pytest.mark.parametrize("name", OVERLAYS)
def test_nobody_deletes_a_topic_by_mistake(name: str) -> None:
    kafka = of_kind(overlay(name), "Kafka")["tuntas"]["spec"]
    assert kafka["kafka"]["config"]["delete.topic.enable"] is False
    environment = kafka["entityOperator"]["template"]["topicOperatorContainer"]["env"]
    assert {"name": "STRIMZI_USE_FINALIZERS", "value": "false"} in environment, "a finalizer would keep the namespace for ever"
    for kind in ("Kafka", "KafkaTopic", "KafkaNodePool", "Cluster", "Database", "ObjectStore"):
        for own, found in of_kind(overlay(name), kind).items():
            assert found["metadata"]["annotations"]["argocd.argoproj.io/sync-options"] == "Prune=false,Delete=false", f"{kind} {own}"


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_database_logs_no_values_and_frees_locks_of_a_lost_client(name: str) -> None:
    parameters = of_kind(overlay(name), "Cluster")["tuntas-postgres"]["spec"]["postgresql"]["parameters"]
    assert (parameters["log_parameter_max_length"], parameters["log_parameter_max_length_on_error"]) == ("0", "0")
    assert parameters["log_error_verbosity"] == "terse", "the detail of a violated constraint repeats the row"
    idle, interval, count = (int(parameters[f"tcp_keepalives_{part}"]) for part in ("idle", "interval", "count"))
    assert idle + interval * count <= 60
    assert parameters["tcp_user_timeout"] == "30s"
    assert parameters["transaction_timeout"] == "120s"


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_register_is_loaded_once_for_each_release(name: str) -> None:
    (job,) = [job for own, job in of_kind(overlay(name), "Job").items() if own.startswith("tuntas-register-dispatch")]
    assert "ttlSecondsAfterFinished" not in job["spec"], "once it is gone, the next apply creates it again"


@pytest.mark.parametrize("name", OVERLAYS)
def test_each_service_has_a_database_and_a_role_of_its_own(name: str) -> None:
    objects = overlay(name)
    cluster = of_kind(objects, "Cluster")["tuntas-postgres"]["spec"]
    roles = {role["name"]: role for role in cluster["managed"]["roles"] if role["name"] != "operations"}
    assert set(roles) == {module_of(service) for service in SERVICES}
    for service in SERVICES:
        role, database = roles[module_of(service)], of_kind(objects, "Database")[f"tuntas-{service}"]["spec"]
        assert role["passwordSecret"] == {"name": f"tuntas-{service}"}
        assert (database["name"], database["owner"]) == (module_of(service), module_of(service))
        assert database["databaseReclaimPolicy"] == "retain"
        assert not {"superuser", "createdb", "createrole"} & set(role)
    # A role connects to the database of its own name, encrypted; everything else is refused.
    rules = [rule for rule in cluster["postgresql"]["pg_hba"] if " operations " not in rule]
    assert rules == ["hostssl sameuser all all scram-sha-256", "host all all all reject"]
    assert cluster["enableSuperuserAccess"] is False
    assert cluster["storage"]["size"] == settings_of(name)["database-storage"]
    backup = of_kind(objects, "ScheduledBackup")["tuntas-postgres"]["spec"]
    assert backup["cluster"]["name"] == "tuntas-postgres"
    assert len(backup["schedule"].split()) == 6
    (plugin,) = cluster["plugins"]
    assert plugin["isWALArchiver"] is True
    assert plugin["parameters"]["barmanObjectName"] in of_kind(objects, "ObjectStore")


@pytest.mark.parametrize("name", ["staging", "production"])
def test_a_failover_loses_no_accepted_report(name: str) -> None:
    cluster = of_kind(overlay(name), "Cluster")["tuntas-postgres"]["spec"]
    assert cluster["instances"] == 3
    assert cluster["postgresql"]["synchronous"] == {"method": "any", "number": 1, "dataDurability": "required"}


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_secret_that_is_used_is_one_that_somebody_makes(name: str) -> None:
    made = secret_entries()
    for where, template in pod_templates(overlay(name)).items():
        for container in containers(template):
            for variable in container.get("env", ()):
                used = variable.get("valueFrom", {}).get("secretKeyRef")
                if used and used["name"] not in OPERATORS_MAKE:
                    assert used["key"] in made[used["name"]], where
                    assert used.get("optional", False) == made[used["name"]][used["key"]].optional, f"{where}: {used['key']}"
        assert {v["secret"]["secretName"] for v in template["spec"]["volumes"] if "secret" in v} <= OPERATORS_MAKE
    for ingress in of_kind(overlay(name), "Ingress").values():
        assert {tls["secretName"] for tls in ingress["spec"]["tls"]} <= OPERATORS_MAKE
    for trigger in of_kind(overlay(name), "TriggerAuthentication").values():
        assert {ref["name"] for ref in trigger["spec"]["secretTargetRef"]} <= OPERATORS_MAKE


def test_the_readme_and_the_example_name_every_secret_and_key() -> None:
    example = {o["metadata"]["name"]: o["spec"] for o in parse((K8S / "examples" / "external-secrets.yaml").read_text(encoding="utf-8"))}
    for name, entries in secret_entries().items():
        assert f"`{name}`" in README
        assert {item["secretKey"] for item in example[name]["data"]} == {key for key, entry in entries.items() if not entry.optional}
        assert example[name]["target"]["template"]["type"] == ("kubernetes.io/basic-auth" if "password" in entries else "Opaque")
        for key in entries:
            assert f"`{key}`" in README
    for name in OPERATORS_MAKE:
        assert f"`{name}`" in README


def test_random_secrets_are_usable_and_never_the_same() -> None:
    first, second = ({s["metadata"]["name"]: s["stringData"] for s in parse_all("tuntas-dev")} for _ in range(2))
    assert set(first) == set(secret_entries())
    for service in SERVICES:
        secret = first[f"tuntas-{service}"]
        assert secret["username"] == module_of(service)
        assert secret["password"].isalnum(), "it becomes part of a URL"
        assert secret["password"] != second[f"tuntas-{service}"]["password"]


def parse_all(namespace: str) -> list[Manifest]:
    return [dict(secret) for secret in random_secrets(namespace)]
