"""`tuntas ops doctor` on real servers: it finds each thing that is wrong, and says what to do."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from confluent_kafka.admin import AdminClient

from tests.support.database import execute
from tests.support.operator import Operator
from tests.support.registers import register_of
from tests.support.servers import Servers
from tests.support.waiting import until_it_holds
from tuntas_chassis.persistence.migrations import upgrade
from tuntas_contracts.topology import CASES, NOTICES
from tuntas_contracts.vocabulary import Service
from tuntas_embedded.kafka import KafkaServer
from tuntas_embedded.ports import LOOPBACK, free_port
from tuntas_embedded.postgres.apart import run_apart
from tuntas_embedded.processes import Supervisor
from tuntas_operations.broker_users import provide_rights, provide_user
from tuntas_operations.credentials import Credentials
from tuntas_operations.doctor import Finding, examine
from tuntas_operations.doctor.clocks import PROBE
from tuntas_operations.installation import Installation
from tuntas_operations.reconciliation.reading import TopicReader
from tuntas_operations.rights import OPERATIONS, BrokerUser, Grant, agency_user, platform_users, service_user
from tuntas_operations.topics import create_topics, topics_for

ADMINISTRATOR = Credentials("administrator", "a-password")
NOBODY = Credentials("nobody-special", "another-password")
AGENCIES = ["kemenkes"]


@dataclass
class Secured:
    """A broker with users and rights, and the platform's topics."""

    bootstrap: str
    admin: AdminClient

    def operator(self, user: Credentials = ADMINISTRATOR, **more: str) -> Operator:
        """An operator who connects as this user."""
        login = {"TUNTAS_KAFKA_USERNAME": user.username, "TUNTAS_KAFKA_PASSWORD": user.password}
        return Operator({"TUNTAS_KAFKA": self.bootstrap, **login, **more})


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """With the users of the platform; one more has a password and no right at all."""
    folder: Path = tmp_path_factory.mktemp("secured")
    supervisor = Supervisor()
    server = KafkaServer(folder / "kafka", free_port(), free_port(), folder / "kafka.log", ADMINISTRATOR)
    try:
        supervisor.start(server.prepare())
        client = ADMINISTRATOR.librdkafka()
        create_topics(server.bootstrap, topics_for(AGENCIES), client=client)
        provide_user(server.bootstrap, ADMINISTRATOR, NOBODY)
        provide_rights(server.bootstrap, ADMINISTRATOR, [*platform_users(), agency_user("kemenkes")])
        yield Secured(server.bootstrap, AdminClient({"bootstrap.servers": server.bootstrap, "log_level": 0, **client}))
    finally:
        supervisor.stop_all()


@pytest.fixture
def database(servers: Servers) -> str:
    """Intake's, migrated."""
    url = servers.database()
    run_apart(upgrade("intake", url.replace("postgresql://", "postgresql+asyncpg://", 1)))
    return url


@pytest.fixture
def collector() -> Iterator[str]:
    """Something that takes traces."""

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200 if self.path == "/v1/traces" else 404)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer((LOOPBACK, 0), Taking)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://{LOOPBACK}:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def wrongs(findings: list[dict[str, str]]) -> dict[str, str]:
    """What is wrong, by what it is about, with what to do; every one must say that."""
    wrong = [finding for finding in findings if finding["status"] == "wrong"]
    assert all(finding["todo"] for finding in wrong)
    return {finding["about"]: f"{finding['told']}: {finding['todo']}" for finding in wrong}


def topics_of(secured: Secured) -> set[str]:
    return set(secured.admin.list_topics(timeout=20).topics)


def test_a_healthy_installation_is_ok_in_each_part(secured: Secured, servers: Servers, database: str, collector: str) -> None:
    register = register_of(servers, AGENCIES)
    operator = secured.operator(TUNTAS_DATABASE_URL_INTAKE=database, TUNTAS_DATABASE_URL_DISPATCH=register, TUNTAS_OTLP_ENDPOINT=collector)
    assert operator.run("doctor").output.endswith("all is well\n")
    well = {finding["about"] for finding in operator.json("doctor") if finding["status"] == "ok"}
    broker = {"kafka", "kafka replicas", "kafka version", "kafka rights", "kafka users", "kafka clock", "topics"}
    intake = {"intake database", "intake rights", "intake schema", "intake database clock"}
    assert well >= {"settings", "collector", *broker, *intake}
    until_it_holds(lambda: not any(name.startswith(PROBE) for name in topics_of(secured)), "the topic that it made is gone")


def test_a_wrong_password_at_the_broker(secured: Secured) -> None:
    operator = secured.operator(Credentials(NOBODY.username, "guessed"))
    assert (
        "refuses the user nobody-special or the password: correct TUNTAS_KAFKA_USERNAME"
        in wrongs(operator.json("doctor", status=1))["kafka"]
    )
    unsigned = Operator({"TUNTAS_KAFKA": secured.bootstrap})
    assert "TUNTAS_KAFKA_USERNAME" in wrongs(unsigned.json("doctor", status=1))["kafka"]


def test_a_wrong_password_at_the_database_and_a_database_that_is_not_there(servers: Servers, database: str) -> None:
    wrong_password = database.replace(":secret@", ":guessed@")
    elsewhere = database.rpartition("/")[0] + "/nowhere"
    away = f"postgresql://a:b@{LOOPBACK}:{free_port()}/x"
    operator = Operator(
        {
            "TUNTAS_DATABASE_URL_INTAKE": wrong_password,
            "TUNTAS_DATABASE_URL_TRIAGE": elsewhere,
            "TUNTAS_DATABASE_URL_NOTIFIER": away,
        }
    )
    wrong = wrongs(operator.json("doctor", status=1))
    role = urlsplit(database).username
    assert (
        f"refuses the role {role} or its password: correct role, password and database in TUNTAS_DATABASE_URL_INTAKE"
        in wrong["intake database"]
    )
    assert "TUNTAS_DATABASE_URL_TRIAGE" in wrong["triage database"]
    assert "does not answer" in wrong["notifier database"]
    assert all("secret" not in line and "guessed" not in line for line in wrong.values()), "no password is shown"


def test_a_missing_topic_and_a_wrong_setting(secured: Secured) -> None:
    installation = _installation(secured)
    assert [finding.status for finding in _about(installation, "topics")] == ["ok"]
    secured.admin.delete_topics([NOTICES.name], operation_timeout=30)[NOTICES.name].result()
    until_it_holds(lambda: NOTICES.name not in topics_of(secured), "the topic is gone")
    [finding] = _about(installation, "topics")
    assert (finding.status, finding.found) == ("wrong", f"{NOTICES.name} is missing")
    assert "tuntas ops topics apply" in finding.todo
    create_topics(secured.bootstrap, topics_for(AGENCIES), client=ADMINISTRATOR.librdkafka())
    assert [finding.status for finding in _about(installation, "topics")] == ["ok"]


def test_a_database_that_is_not_migrated(servers: Servers, database: str) -> None:
    run_apart(execute(database, "UPDATE alembic_version SET version_num = '0001'"))
    operator = Operator({"TUNTAS_DATABASE_URL_INTAKE": database, "TUNTAS_DATABASE_URL_NOTIFIER": servers.database()})
    wrong = wrongs(operator.json("doctor", status=1))
    assert "is at migration 0001" in wrong["intake schema"]
    assert "python -m intake migrate" in wrong["intake schema"]
    assert "never migrated" in wrong["notifier schema"]
    run_apart(execute(database, "UPDATE alembic_version SET version_num = '9999'"))
    assert "intake schema" not in wrongs(operator.json("doctor", status=1)), "a later schema is served during a roll-out"


@pytest.mark.parametrize(("ours", "word"), [(90.0, "behind"), (-90.0, "ahead of")])
def test_a_skewed_clock(secured: Secured, database: str, ours: float, word: str) -> None:
    installation = _installation(secured, {Service.INTAKE: database})
    findings = {finding.about: finding for finding in examine(installation, lambda: time.time() + ours)}
    for about in ("kafka clock", "intake database clock"):
        assert findings[about].status == "wrong"
        assert f"s {word} this machine's clock" in findings[about].found
        assert "NTP" in findings[about].todo
    assert all(finding.status == "ok" for finding in examine(installation) if finding.about.endswith("clock"))


def test_the_user_of_operations_has_the_rights_that_doctor_and_reconciliation_need(secured: Secured, servers: Servers) -> None:
    user, register = Credentials(OPERATIONS, "a-password"), register_of(servers, AGENCIES)
    provide_user(secured.bootstrap, ADMINISTRATOR, user)
    findings = {finding["about"]: finding for finding in secured.operator(user, TUNTAS_DATABASE_URL_DISPATCH=register).json("doctor")}
    examined = ("kafka", "kafka rights", "kafka users", "topics")
    assert {about: findings[about]["status"] for about in examined} == dict.fromkeys(examined, "ok")
    assert "but not change them" in findings["kafka rights"]["told"]
    assert findings["kafka clock"]["status"] == "not checked", "it may make no topic, so that it can change nothing"
    with closing(TopicReader(secured.bootstrap, user.librdkafka())) as reader:
        assert list(reader.read()) == []


def test_a_user_without_rights_at_the_broker(secured: Secured) -> None:
    wrong = wrongs(secured.operator(NOBODY).json("doctor", status=1))
    assert f"nobody-special lacks Read and Describe and DescribeConfigs on {CASES.name}" in wrong["kafka rights"]
    assert "hidden from this user" in wrong["topics"]


def test_a_role_without_rights_in_its_database(servers: Servers, database: str) -> None:
    role = urlsplit(database).username
    # its own tables, as a restore by another role leaves them
    admin = servers.admin_url.rpartition("/")[0] + urlsplit(database).path
    run_apart(execute(admin, "ALTER TABLE outbox OWNER TO postgres", f"GRANT SELECT ON outbox TO {role}"))
    wrong = wrongs(Operator({"TUNTAS_DATABASE_URL_INTAKE": database}).json("doctor", status=1))
    assert f"the role {role} lacks DELETE on outbox, INSERT on outbox, UPDATE on outbox" in wrong["intake rights"]


def test_the_role_of_operations_may_read_only_and_a_services_role_may_not(servers: Servers, database: str) -> None:
    role, name = urlsplit(database).username, urlsplit(database).path.lstrip("/")
    admin, reader = f"{servers.admin_url.rpartition('/')[0]}/{name}", f"{role}_reader"
    made = f"CREATE ROLE {reader} LOGIN PASSWORD 'secret' IN ROLE pg_read_all_data"
    run_apart(execute(admin, made, f'GRANT CONNECT ON DATABASE "{name}" TO {reader}'))
    operations = Operator({"TUNTAS_DATABASE_URL_INTAKE": f"postgresql://{reader}:secret@{database.rpartition('@')[2]}"})
    findings = {finding["about"]: finding for finding in operations.json("doctor")}
    assert findings["intake rights"]["status"] == "ok"
    assert "may read every table, and write none" in findings["intake rights"]["told"]

    run_apart(execute(admin, f"REVOKE INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public FROM {role}"))
    wrong = wrongs(Operator({"TUNTAS_DATABASE_URL_INTAKE": database}).json("doctor", status=1))
    assert f"the role {role} lacks DELETE on" in wrong["intake rights"]


def test_a_services_user_with_too_few_and_too_many_rights(secured: Secured) -> None:
    sound = service_user(Service.NOTIFIER)
    altered = BrokerUser(sound.name, (*sound.grants[1:], Grant("topic", CASES.name, ("Write",))))
    provide_rights(secured.bootstrap, ADMINISTRATOR, [altered])
    try:
        [line] = [finding.line for finding in examine(_installation(secured)) if finding.about == "kafka users"]
    finally:
        provide_rights(secured.bootstrap, ADMINISTRATOR, [sound])
    assert f"notifier lacks Read on topic {sound.grants[0].name}" in line
    assert f"has Write on topic {CASES.name} beside its own" in line


def test_an_unreachable_collector(collector: str) -> None:
    findings = {url: _of_collector(url) for url in (collector, f"{collector}/elsewhere", f"http://{LOOPBACK}:{free_port()}")}
    assert [finding.status for finding in findings.values()] == ["ok", "wrong", "wrong"]
    _, elsewhere, away = (finding.line for finding in findings.values())
    assert "answers 404" in elsewhere
    assert "can't be reached" in away
    assert "TUNTAS_OTLP_ENDPOINT" in away


def test_settings_that_can_t_be_used_are_named_one_by_one() -> None:
    operator = Operator({"TUNTAS_KAFKA": "kafka", "TUNTAS_SMTP_PORT": "many", "TUNTAS_DATABASE_URL_INTAKE": "mysql://x"})
    output = operator.run("doctor", status=1).output
    assert output.count("WRONG") == 3
    assert all(name in output for name in ("TUNTAS_KAFKA: 'kafka' is no address", "TUNTAS_SMTP_PORT", "TUNTAS_DATABASE_URL_INTAKE"))


def _of_collector(url: str) -> Finding:
    findings = examine(Installation(name="test", local=False, kafka=None, collector=url))
    [finding] = [finding for finding in findings if finding.about == "collector"]
    return finding


def _installation(secured: Secured, databases: dict[Service, str] | None = None) -> Installation:
    """With topics for one agency, as a local stack may have."""
    client = ADMINISTRATOR.librdkafka()
    return Installation(name="test", local=True, kafka=secured.bootstrap, kafka_client=client, databases=databases or {}, agencies=AGENCIES)


def _about(installation: Installation, about: str) -> list[Finding]:
    return [finding for finding in examine(installation) if finding.about == about]
