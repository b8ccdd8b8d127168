"""Requests made from each service's own OpenAPI document, sound and broken: none may lead to an error of ours."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.platform import Platform
from tuntas_contracts.vocabulary import Role, Service
from tuntas_embedded.issuer import mint_token

BANDUNG = "kota-32-73"
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
EXAMPLES = 8
LONGEST_S = 270  # so that it ends before the test's own time is over


async def real_case(platform: Platform) -> tuple[str, str, str]:
    """A case on which commands can do something: its id, tracking id and access code."""
    receipt = await platform.submit(addressed_agency=BANDUNG)
    await platform.until_state(receipt, "at_agency")
    return str(receipt.case_id), receipt.tracking_id, receipt.access_code


@pytest.mark.parametrize("service", list(Service))
async def test_no_request_made_from_the_document_breaks_the_service(platform: Platform, service: Service, tmp_path: Path) -> None:
    case_id, tracking_id, access_code = await real_case(platform)
    roles = [role.value for role in Role if role not in {Role.REPORTER, Role.SYSTEM}]
    token = mint_token(platform.stack.signing_key(), sub="fuzz", roles=roles, agency=BANDUNG)
    (tmp_path / "schemathesis.toml").write_text(
        f'[parameters]\n"path.case_id" = "{case_id}"\n"path.tracking_id" = "{tracking_id}"\n"header.X-Access-Code" = "{access_code}"\n'
    )
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "--config-file", "schemathesis.toml", "run",
        f"{platform.url(service)}/openapi.json", "--header", f"Authorization: Bearer {token}", "--checks", CHECKS,
        "--max-examples", str(EXAMPLES), "--seed", "1", "--phases", "coverage,fuzzing", "--no-color",
        "--generation-database", "none",
    ]  # fmt: skip
    if service is not Service.TRIAGE:
        command += ["--exclude-path-regex", "^/v1/parked"]  # the same code in every service
    done = await asyncio.to_thread(subprocess.run, command, cwd=tmp_path, capture_output=True, text=True, timeout=LONGEST_S, check=False)
    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr[-2_000:]
    ready = await platform.http.get(f"{platform.url(service)}/readyz")
    assert ready.status_code == 200
