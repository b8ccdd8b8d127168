"""`tuntas ops agencies` on a real broker and dispatch's register over HTTP."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from confluent_kafka.admin import AdminClient

from tests.support.operator import Operator
from tests.support.register_http import served
from tests.support.registers import register_of
from tests.support.servers import Servers
from tuntas_contracts.agencies import AgencyRegistered
from tuntas_contracts.topology import AGENCIES, AGENCY_ACTIONS, AGENCY_CASES
from tuntas_embedded.postgres.apart import run_apart

WHY = ("--reason", "letter 12/2026")
HEADER = "code,name,kind,region_code,time_zone,supervised_by,email,sectors"
NEW = "badan-uji,Badan Uji,body,,Asia/Jakarta,kemenkes,aduan@uji.example,health"


class Register:
    """Dispatch's register as a test sees it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Rows of the database."""
        return run_apart(self._rows(sql))

    async def _rows(self, sql: str) -> list[dict[str, Any]]:
        connection = await asyncpg.connect(self.url)
        try:
            return [dict(row) for row in await connection.fetch(sql)]
        finally:
            await connection.close()

    def published(self) -> list[AgencyRegistered]:
        """What the relay is to publish."""
        rows = self.rows("SELECT topic, value FROM outbox ORDER BY id")
        assert {row["topic"] for row in rows} <= {AGENCIES.name}
        return [AgencyRegistered.model_validate_json(row["value"]) for row in rows]


@pytest.fixture
def register(servers: Servers) -> Register:
    return Register(register_of(servers, ["kemenkes"]))


@pytest.fixture
def operator(servers: Servers, register: Register) -> Iterator[Operator]:
    with served(register.url) as url:
        yield Operator({"TUNTAS_KAFKA": servers.bootstrap, "TUNTAS_URL_DISPATCH": url, "TUNTAS_TOKEN": "operator"})


def _file(folder: Path, *rows: str) -> str:
    file = folder / "agencies.csv"
    file.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return str(file)


def test_a_new_agency_has_topics_a_row_and_an_event_and_its_users_rights_are_named(
    operator: Operator, register: Register, servers: Servers, tmp_path: Path
) -> None:
    output = operator.run("agencies", "import", _file(tmp_path, NEW), *WHY).output
    assert "added  badan-uji  Badan Uji" in output
    assert f"agency.badan-uji  Read on topic {AGENCY_CASES.for_agency('badan-uji')}" in output
    assert f"agency.badan-uji  Write on topic {AGENCY_ACTIONS.for_agency('badan-uji')}" in output
    topics = AdminClient({"bootstrap.servers": servers.bootstrap, "log_level": 0}).list_topics(timeout=20).topics
    assert {AGENCY_CASES.for_agency("badan-uji"), AGENCY_ACTIONS.for_agency("badan-uji")} <= topics.keys()
    [event] = register.published()
    assert (event.code, event.supervised_by, event.enabled) == ("badan-uji", "kemenkes", True)

    again = operator.json("agencies", "import", _file(tmp_path, NEW), *WHY)
    assert (again["agencies"][0]["outcome"], again["topics_made"]) == ("unchanged", 0)
    assert len(register.published()) == 1, "what is unchanged is not published again"


def test_with_one_faulty_row_nothing_is_changed(operator: Operator, register: Register, tmp_path: Path) -> None:
    file = _file(tmp_path, NEW, "kab-32-01,Kabupaten Bogor,regency,32.01,Asia/Jakarta,prov-32,aduan@bogor,health")
    lines = operator.run("agencies", "import", file, *WHY, status=1).stderr.splitlines()
    assert any("agencies.csv:3: email 'aduan@bogor' is no mailbox" in line for line in lines)
    assert any("agencies.csv:3: supervised_by 'prov-32' is not in the register" in line for line in lines)
    assert lines[-1].endswith("nothing was changed")
    assert register.published() == []
    assert [row["code"] for row in register.rows("SELECT code FROM agency")] == ["kemenkes"]


def test_disabled_and_enabled_again(operator: Operator, register: Register) -> None:
    operator.run("agencies", "disable", "kemenkes", *WHY)
    assert register.rows("SELECT enabled FROM agency") == [{"enabled": False}]
    assert "nothing to change" in operator.run("agencies", "disable", "kemenkes", *WHY).output
    assert [event.enabled for event in register.published()] == [False]
    answer = operator.json(
        *("agencies", "add", "kemenkes", "--name", "Instansi kemenkes", "--kind", "body"),
        *("--email", "pengaduan@kemenkes.example", "--sectors", "health", *WHY),
    )
    assert answer["agencies"][0]["outcome"] == "enabled again"
    assert [event.enabled for event in register.published()] == [False, True]
    assert "The register has no agency 'nobody'" in operator.refused("agencies", "disable", "nobody", *WHY)


def test_who_changed_what_and_why_is_in_the_audit(operator: Operator, register: Register) -> None:
    operator.run("agencies", "disable", "kemenkes", *WHY)
    [line] = register.rows("SELECT subject, reason, code, before, after FROM agency_change")
    assert (line["subject"], line["reason"], line["code"]) == ("operator:wati", "letter 12/2026", "kemenkes")
    assert (line["before"], line["after"]) == ('{"enabled": true}', '{"enabled": false}')


def test_without_the_address_or_the_role_it_says_what_is_missing(servers: Servers, operator: Operator) -> None:
    alone = Operator({"TUNTAS_KAFKA": servers.bootstrap})
    assert "TUNTAS_URL_DISPATCH" in alone.refused("agencies", "disable", "kemenkes", *WHY)
    message = operator.refused("agencies", "disable", "kemenkes", *WHY, changes={"TUNTAS_TOKEN": "administrator"})
    assert "needs one of the roles: operator" in message
