"""Settings that must not pass."""

from typing import Any

import pytest
from pydantic import ValidationError

from notifier.settings import Settings

GIVEN: dict[str, Any] = {
    "environment": "development",
    "kafka": "127.0.0.1:9092",
    "database_url": "postgresql://notifier:secret@127.0.0.1/notifier",
    "oidc_issuer": "http://127.0.0.1:1",
    "intake_url": "http://127.0.0.1:2",
    "client_secret": "secret",
    "smtp_host": "127.0.0.1",
}


def test_the_sender_has_a_name_and_an_address() -> None:
    assert Settings(**GIVEN, mail_from="Tuntas <noreply@tuntas.example>").sender == ("Tuntas", "noreply@tuntas.example")


@pytest.mark.parametrize(("environment", "security"), [("development", "opportunistic"), ("production", "starttls")])
def test_production_reaches_the_relay_by_tls_unless_set_otherwise(environment: Any, security: str) -> None:
    assert Settings(**GIVEN | {"environment": environment}).relay_security == security


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"environment": "production", "smtp_security": "none"}, "starttls or tls"),
        ({"environment": "staging", "smtp_security": "opportunistic"}, "starttls or tls"),
        ({"smtp_username": "notifier"}, "set both or neither"),
        ({"mail_from": "nobody"}, "no e-mail address"),
        ({"supervisor_email": "a@b.id\r\nBcc: x@y.id"}, "no e-mail address"),
        ({"mail_batch": 501}, "500"),
    ],
)
def test_what_is_unsafe_or_unusable_is_refused_with_what_to_do(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Settings(**GIVEN | change)
