"""Keys of name fingerprints: a service that needs them does not start without."""

import pytest

from tests.support.names import NAME_KEY
from tuntas_chassis.name_keys import NameKeySettings
from tuntas_chassis.settings import load_settings

GOOD = {
    "TUNTAS_KAFKA": "kafka:9092",
    "TUNTAS_DATABASE_URL": "postgresql://role:word@db:5432/triage",
    "TUNTAS_OIDC_ISSUER": "https://login.example",
}


@pytest.mark.parametrize(("value", "says"), [("", "Field required"), ("YWJj", "openssl rand -base64 32"), ("?", "not base64")])
def test_no_keys_or_unusable_ones_end_the_start_and_are_not_shown(
    value: str, says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, good in (GOOD | {"TUNTAS_NAME_KEYS": value}).items():
        monkeypatch.setenv(name, good)
    with pytest.raises(SystemExit) as ended:
        load_settings(NameKeySettings)
    message = capsys.readouterr().err
    assert ended.value.code == 2
    assert message.startswith("TUNTAS_NAME_KEYS: ")
    assert says in message
    assert "YWJj" not in message


def test_usable_keys_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, good in (GOOD | {"TUNTAS_NAME_KEYS": f"{NAME_KEY}, {NAME_KEY}"}).items():
        monkeypatch.setenv(name, good)
    settings = load_settings(NameKeySettings)
    settings.fingerprint_keys()
    assert NAME_KEY not in repr(settings)
