"""Options that can be repeated, in whichever way somebody writes them."""

from typing import Any

import pytest
from typer.testing import CliRunner

from tuntas_contracts.vocabulary import Service
from tuntas_devstack.commands import up as up_command
from tuntas_devstack.options import StackOptions
from tuntas_operations.cli import app
from tuntas_operations.commands.choices import services, words
from tuntas_operations.errors import StackError


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (None, None),
        ([""], []),
        (["kota-32-73", "kemenkes"], ["kota-32-73", "kemenkes"]),
        (["kota-32-73,kemenkes"], ["kota-32-73", "kemenkes"]),
        (["kota-32-73, kemenkes,", "kota-32-73"], ["kota-32-73", "kemenkes"]),
    ],
)
def test_words_may_be_repeated_or_joined_by_commas(given: list[str] | None, found: list[str] | None) -> None:
    assert words(given) == found


def test_a_service_that_is_unknown_is_named_beside_those_that_there_are() -> None:
    assert services(["triage,dispatch", "notifier"]) == [Service.TRIAGE, Service.DISPATCH, Service.NOTIFIER]
    with pytest.raises(StackError, match=r"no service tirage: the services are intake, .*notifier"):
        services(["triage,tirage"])


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[StackOptions]:
    """The options of each stack that the command would start."""
    seen: list[StackOptions] = []
    monkeypatch.setattr(up_command, "_attached", lambda folder, options: seen.append(options))
    return seen


def up(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["up", *arguments])


def test_every_agency_that_is_named_gets_topics(started: list[StackOptions]) -> None:
    result = up("--agencies", "kota-32-73", "--agencies", "kemenkes,kab-32-01", "--services", "intake", "--services", "triage")
    assert result.exit_code == 0, result.output
    assert list(started[0].agencies or []) == ["kota-32-73", "kemenkes", "kab-32-01"]
    assert list(started[0].services) == [Service.INTAKE, Service.TRIAGE]


def test_ports_and_replicas_are_repeated_or_joined_and_never_contradict_each_other(started: list[StackOptions]) -> None:
    result = up("--port", "intake=18080,triage=18081", "--replicas", "triage=2", "--replicas", "dispatch=3")
    assert result.exit_code == 0, result.output
    assert started[0].ports == {"intake": 18080, "triage": 18081}
    assert started[0].replicas == {Service.TRIAGE: 2, Service.DISPATCH: 3}
    refused = up("--port", "intake=18080", "--port", "intake=18081")
    assert refused.exit_code == 1
    assert "names intake twice" in refused.output
