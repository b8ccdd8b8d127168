"""`tuntas ops` on a running platform: what operators do, and what comes of it for reporters and agencies."""

import asyncio
import json
from typing import Any
from uuid import uuid4

from tests.support.malformed import headers_of
from tests.support.operator import Operator
from tests.support.platform import TIMEOUT_S, Json, Platform
from tests.support.waiting import until
from tuntas_contracts.cases import CaseForwarded
from tuntas_contracts.topology import AGENCY_CASES, CASES
from tuntas_contracts.vocabulary import Role, Service

NEW = "uji-ops"


class AtWork:
    """An operator of this platform; commands run in a thread, since each has an event loop of its own."""

    def __init__(self, platform: Platform) -> None:
        self._operator = Operator({"TUNTAS_FOLDER": str(platform.stack.folder.path)})

    async def run(self, *arguments: str, status: int | None = 0) -> str:
        """What a command prints."""
        return (await asyncio.to_thread(self._operator.run, *arguments, status=status)).stdout

    async def refused(self, *arguments: str) -> str:
        """The sentence of a command that can't be done."""
        return await asyncio.to_thread(self._operator.refused, *arguments)

    async def json(self, *arguments: str, status: int | None = 0) -> Any:
        """What a command prints with `--json`."""
        return json.loads(await self.run(*arguments, "--json", status=status))

    async def parked(self, key: str, service: Service, *more: str) -> list[Json]:
        """What waits on a key."""
        found: list[Json] = await self.json("parked", "list", "--key", key, "--service", service.value, *more)
        return found


async def test_a_parked_message_is_found_shown_tried_again_and_given_up_with_a_reason(platform: Platform) -> None:
    operator, key = AtWork(platform), str(uuid4())
    bad = [(key.encode(), b"<laporan>", headers_of(CaseForwarded.__name__)), (key.encode(), b"{}", headers_of(CaseForwarded.__name__))]
    await platform.produce(CASES.name, bad)

    for service in (Service.DISPATCH, Service.NOTIFIER):

        async def both_parked(service: Service = service) -> list[Json] | None:
            found = await operator.parked(key, service)
            return found if len(found) == 2 else None

        await until(both_parked, f"{service} has parked both", TIMEOUT_S)

    first, second = [message["id"] for message in await operator.parked(key, Service.DISPATCH)]
    assert [message["id"] for message in await operator.parked(key, Service.DISPATCH, "--topic", CASES.name, "--limit", "1")] == [first]
    assert (await operator.run("parked", "list", "--key", key, "--service", "dispatch", "--ids")).split() == [first, second]
    assert await operator.parked(key, Service.DISPATCH, "--topic", "elsewhere") == []
    assert await operator.parked(key, Service.DISPATCH, "--error", "no such words") == []
    shown = await operator.run("parked", "show", first)
    assert "Undecodable" in shown
    assert "header ce_type" in shown
    assert "<laporan>" not in shown, "content is for those who ask for it"

    assert "still wait" in await operator.run("parked", "replay", first, status=1)
    answer = await operator.run("parked", "discard", first, second, "--reason", "sent by a broken test", "--service", "dispatch")
    assert "0 replayed, nothing waits" in answer
    assert await operator.parked(key, Service.DISPATCH) == []
    audit = await operator.parked(key, Service.DISPATCH, "--audit")
    assert [(m["id"], m["state"], m["resolution_reason"]) for m in audit] == [
        (one, "discarded", "sent by a broken test") for one in (first, second)
    ]
    assert all(m["resolved_by"].startswith("operator:") and m["resolved_at"] for m in audit)
    assert "sent by a broken test" in await operator.run("parked", "list", "--audit", "--key", key)

    assert "was discarded" in await operator.refused("parked", "replay", second)
    elsewhere = [message["id"] for message in await operator.parked(key, Service.NOTIFIER)]
    assert len(elsewhere) == 2, "another service's are its own"
    for service in set(Service) - {Service.DISPATCH}:
        ids = [message["id"] for message in await operator.parked(key, service)]
        if ids:
            await operator.run("parked", "discard", *ids, "--reason", "cleaning up")


async def test_a_new_agency_gets_cases_and_a_disabled_one_none(platform: Platform) -> None:
    operator = AtWork(platform)
    answer = await operator.json(
        *("agencies", "add", NEW, "--name", "Badan Uji", "--kind", "body", "--email", "aduan@uji.example", "--sectors", "health"),
        *("--reason", "a new agency"),
    )
    assert answer["topics_made"] == 2
    assert f"Read on topic {AGENCY_CASES.for_agency(NEW)}" in answer["agencies"][0]["rights"]

    async def known(enabled: bool) -> bool:
        rows = await platform.query("triage", f"SELECT enabled FROM agency WHERE code = '{NEW}'")
        return [row["enabled"] for row in rows] == [enabled]

    await until(lambda: known(True), "triage knows the new agency", TIMEOUT_S)
    receipt = await platform.submit(addressed_agency=NEW)
    await platform.until_state(receipt, "at_agency")
    await platform.until_events(receipt.case_id, "CaseAssigned", topic=AGENCY_CASES.for_agency(NEW))

    assert "waits for a verifier" in await operator.run("agencies", "disable", NEW, "--reason", "it ended")
    await until(lambda: known(False), "triage knows that it is disabled", TIMEOUT_S)
    later = await platform.submit(addressed_agency=NEW)
    await platform.until_state(later, "received")
    assert (await operator.json("topics", "plan"))["changes"] == []

    page = (await platform.call("dispatch", "GET", "/v1/agency-changes", role=Role.AUDITOR, params={"code": NEW})).json()
    assert [(change["reason"], change["after"].get("enabled")) for change in page["changes"]] == [
        ("a new agency", True),
        ("it ended", False),
    ]
    assert all(change["subject"].startswith("operator:") for change in page["changes"])


async def test_the_doctor_finds_a_running_platform_well(platform: Platform) -> None:
    findings = await AtWork(platform).json("doctor")
    assert {finding["status"] for finding in findings} == {"ok", "not checked"}
    assert [finding["about"] for finding in findings if finding["status"] == "not checked"] == ["collector"]
    well = {finding["about"] for finding in findings}
    parts = {"kafka", "kafka users", "kafka clock", "topics", "issuer", "operator's token", "mail relay"}
    assert well >= parts | {part for service in Service for part in (service.value, f"{service} schema", f"{service} rights")}


async def test_reconciliation_of_a_platform_names_the_cases_that_differ_and_no_other(platform: Platform) -> None:
    receipt = await platform.submit(addressed_agency="kemenkes")
    await platform.until_state(receipt, "at_agency")
    # other tests have put garbage on the topics, of which some looks like cases
    answer = await AtWork(platform).json("reconcile", status=None)
    assert answer["accepted"] >= 1
    assert str(receipt.case_id) not in {difference["case_id"] for difference in answer["differences"]}
