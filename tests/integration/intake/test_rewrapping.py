"""A former encryption key can be removed once everything is under the current one; on a real PostgreSQL."""

from base64 import b64encode

import pytest
from pydantic import SecretStr

from intake.adapters.key_rotation import rewrap_all
from intake.adapters.vault import Vault
from intake.app import build
from intake.entrypoints.key_rotation import rewrap_keys_command
from intake.settings import Settings
from tests.integration.intake.harness import IntakeHarness, bearer
from tests.integration.intake.test_personal_data import look_up, wish
from tests.unit.intake.builders import KEY
from tuntas_chassis.service import ServiceApp

NEW_KEY = bytes(range(200, 232))


def with_keys(harness: IntakeHarness, current: bytes, *former: bytes) -> ServiceApp:
    """Another process on the same database."""
    keys = {
        "encryption_key": SecretStr(b64encode(current).decode()),
        "former_encryption_keys": SecretStr(",".join(b64encode(key).decode() for key in former)),
    }
    settings = harness.app.settings.model_copy(update=keys)
    assert isinstance(settings, Settings)
    return build(settings)


async def keys_in_use(harness: IntakeHarness) -> set[bytes]:
    rows = await harness.rows("SELECT substring(wrapped_key FROM 1 FOR 4) AS id FROM reporter WHERE wrapped_key IS NOT NULL")
    return {bytes(row.id) for row in rows}


async def test_after_it_the_former_key_is_not_needed_any_more(harness: IntakeHarness, capsys: pytest.CaptureFixture[str]) -> None:
    receipts = [await harness.submit() for _ in range(5)]
    erased = await wish(harness, receipts[0])
    assert (await harness.http.delete(f"/v1/reporters/{erased['reporter_ref']}", headers=bearer("operator"))).status_code == 204
    [former] = await keys_in_use(harness)

    assert await rewrap_keys_command(with_keys(harness, NEW_KEY, KEY), []) == 0
    assert capsys.readouterr().out == "4 reporters' keys brought under the current key\n"
    [current] = await keys_in_use(harness)
    assert current != former

    harness.hand_over_to(with_keys(harness, NEW_KEY))
    for receipt in receipts[1:]:
        status, found = await look_up(harness, await wish(harness, receipt))
        assert (status, found["contacts"][0]["name"]) == (200, "Siti Nurhaliza")
    assert await rewrap_keys_command(with_keys(harness, NEW_KEY), []) == 0
    assert capsys.readouterr().out.startswith("0 reporters' keys")


async def test_it_goes_on_batch_by_batch(harness: IntakeHarness) -> None:
    for _ in range(7):
        await harness.submit()
    result = await rewrap_all(harness.app.database, Vault(NEW_KEY, [KEY]), batch=3)
    assert (result.done, result.unreadable, len(await keys_in_use(harness))) == (7, 0, 1)


async def test_what_no_key_opens_stays_and_is_reported(harness: IntakeHarness, capsys: pytest.CaptureFixture[str]) -> None:
    await harness.submit()
    [former] = await keys_in_use(harness)
    assert await rewrap_keys_command(with_keys(harness, NEW_KEY), []) == 1
    assert "TUNTAS_FORMER_ENCRYPTION_KEYS" in capsys.readouterr().err
    assert await keys_in_use(harness) == {former}
