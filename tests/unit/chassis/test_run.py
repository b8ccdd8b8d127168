"""`python -m <service> [command]`: what can't be done is said in a sentence before anything is opened."""

import sys

import pytest

from tuntas_chassis.service import ServiceApp, run
from tuntas_chassis.settings import ServiceSettings


def _never(_settings: ServiceSettings) -> ServiceApp:
    raise AssertionError("nothing may be built")


def _printed(capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        run(_never, ServiceSettings)
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_an_unknown_command_is_answered_with_those_that_are_known(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["intake", "dance"])
    assert _printed(capsys) == "unknown command 'dance'; known: serve, migrate\n"


@pytest.mark.parametrize("arguments", [[], ["serve"], ["migrate"]])
def test_no_command_runs_on_unusable_settings(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["intake", *arguments])
    monkeypatch.setenv("TUNTAS_OIDC_ISSUER", "https://login.example")
    monkeypatch.setenv("TUNTAS_DATABASE_URL", "nowhere")
    monkeypatch.delenv("TUNTAS_KAFKA", raising=False)
    assert [line.split(": ")[0] for line in _printed(capsys).splitlines()] == ["TUNTAS_KAFKA", "TUNTAS_DATABASE_URL"]
