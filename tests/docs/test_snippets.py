"""What the documents say to run works: each snippet is run as it stands, against a real platform."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.waiting import until
from tuntas_contracts.vocabulary import Role
from tuntas_devstack.stack import Stack
from tuntas_embedded.issuer.clients import client_id_of

ROOT = Path(__file__).parents[2]
SNIPPETS = ROOT / "docs" / "snippets"
AGENCY = "kota-32-73"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
_TIMEOUT_S = 90.0
_QUOTED = re.compile(r"<!-- snippet: (?P<path>\S+) -->\n```\w+\n(?P<text>.*?)```", re.DOTALL)
_LINKED = re.compile(r"\]\(docs/snippets/([\w.]+)\)")
Json = dict[str, Any]


def _path() -> str:
    """Where the snippets find their programs; a machine without curl gets ours, so that they run there too."""
    path = os.environ["PATH"]
    return path if shutil.which("curl") else f"{Path(__file__).parents[1] / 'support' / 'bin'}{os.pathsep}{path}"


async def shell(name: str, **variables: str) -> Json:
    """The JSON that a shell snippet prints."""
    environment = {"PATH": _path(), "no_proxy": "*"} | variables

    def run() -> Json:
        ran = subprocess.run(["sh", "-eu", SNIPPETS / name], env=environment, capture_output=True, text=True, timeout=60, check=True)
        printed: Json = json.loads(ran.stdout)
        return printed

    return await asyncio.to_thread(run)


async def in_state(stack: Stack, receipt: Json, *states: str) -> Json | None:
    """The status of a report if it is in one of these states."""
    codes = {"TRACKING_ID": receipt["tracking_id"], "ACCESS_CODE": receipt["access_code"]}
    status = await shell("status.sh", INTAKE=stack.state.url("intake"), **codes)
    return status if status["state"]["code"] in states and status["version"] > 1 else None


async def submitted_to_the_agency(stack: Stack) -> Json:
    """The receipt of a report that is with its agency. One that comes before triage has read the register waits at the centre."""

    async def submitted() -> Json | None:
        receipt = await shell("submit.sh", INTAKE=stack.state.url("intake"))
        routed = await until(lambda: in_state(stack, receipt, "at_agency", "received"), "the report is routed", _TIMEOUT_S)
        return receipt if routed["state"]["code"] == "at_agency" else None

    found: Json = await until(submitted, "a report is with the agency that it addresses", _TIMEOUT_S)
    return found


def test_documents_show_or_name_the_snippets_that_are_run() -> None:
    shown = set()
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        shown |= set(_LINKED.findall(text))
        for quote in _QUOTED.finditer(text):
            shown.add(Path(quote["path"]).name)
            source = (ROOT / quote["path"]).read_text(encoding="utf-8")
            assert quote["text"] == source, f"{document.relative_to(ROOT)} shows another text than {quote['path']}"
    assert shown == {path.name for path in SNIPPETS.iterdir() if path.is_file()}


async def test_a_report_is_submitted_accepted_by_the_agency_s_system_and_seen_by_its_reporter(stack: Stack) -> None:
    receipt = await submitted_to_the_agency(stack)
    assert receipt["masked"] == [{"field": "body", "kind": "telepon", "count": 1}]
    # as the README says, in a process of its own
    command = [sys.executable, "-m", "tuntas_devstack.kafka", AGENCY, "--folder", str(stack.folder.path)]
    password = (await asyncio.to_thread(subprocess.check_output, command, text=True)).strip()
    system = subprocess.Popen(
        [sys.executable, SNIPPETS / "agency_system.py", stack.state.kafka, AGENCY, "dinas-perhubungan"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "KAFKA_PASSWORD": password},
    )
    try:
        status = await until(lambda: in_state(stack, receipt, "dispatched"), "the agency's system has accepted the case", _TIMEOUT_S)
    finally:
        system.terminate()
        printed, _ = system.communicate(timeout=30)
    assert status["history"][-1]["unit"] == "dinas-perhubungan"
    assert f"assigned {receipt['case_id']} Lampu jalan padam" in printed


async def test_an_operator_lists_what_is_parked(stack: Stack) -> None:
    clients = {client["client_id"]: client["secret"] for client in json.loads((stack.folder.path / "issuer" / "clients.json").read_text())}
    page = await shell(
        "parked.sh", ISSUER=stack.state.url("issuer"), DISPATCH=stack.state.url("dispatch"), SECRET=clients[client_id_of(Role.OPERATOR)]
    )
    assert page == {"items": [], "next_cursor": None}
