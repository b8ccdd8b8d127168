"""Settings that can't work are refused at the start."""

from base64 import b64encode

import pytest
from pydantic import SecretStr, ValidationError

from intake.settings import Settings
from tests.support.names import NAME_KEY
from tests.unit.intake.builders import KEY


def settings(**given: object) -> Settings:
    fields: dict[str, object] = {
        "kafka": "127.0.0.1:1",
        "database_url": SecretStr("postgresql://a:b@127.0.0.1:1/c"),
        "oidc_issuer": "http://127.0.0.1:1",
        "encryption_key": SecretStr(b64encode(KEY).decode()),
        "access_code_pepper": SecretStr("x" * 32),
        "name_keys": SecretStr(NAME_KEY),
    }
    return Settings.model_validate(fields | given)


def test_usable_settings_give_a_vault() -> None:
    former = ",".join(b64encode(bytes([n]) * 32).decode() for n in (1, 2))
    vault = settings(former_encryption_keys=SecretStr(former)).vault()
    assert vault.unwrap(vault.wrap(b"x", b"y"), b"y") == b"x"


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("encryption_key", SecretStr("abc"), "openssl"),
        ("access_code_pepper", SecretStr("short"), "32 characters"),
        ("name_keys", SecretStr("abc"), "openssl"),
        ("name_keys", SecretStr(" , "), "no key"),
        ("name_keys", SecretStr(f"{NAME_KEY},{NAME_KEY[:8]}"), "6 bytes"),
        ("profile", "permenpan-1-1900", "permenpan-62-2018"),
        ("access_log_retention_days", 1, "365"),
    ],
)
def test_a_fault_is_named_with_what_to_do(field: str, value: object, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        settings(**{field: value})
