"""Each alert has a runbook with four headings, and every command of a runbook exists."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.architecture.built_services import built
from tests.architecture.sources import ROOT, SERVICES
from tests.observability.test_alerts import ALERTS
from tests.support.servers import Servers
from tuntas_chassis.persistence.migrations import upgrade
from tuntas_chassis.settings import ServiceSettings
from tuntas_operations.cli import app as cli
from tuntas_tools.observability.promtool import check_rules
from tuntas_tools.observability.readers import queries_of_runbook

FOLDER = ROOT / "docs" / "runbooks"
RUNBOOKS = sorted(path for path in FOLDER.glob("*.md") if path.stem != "README")
HEADINGS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]
_SHELL = re.compile(r"^```bash\n(.*?)^```", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`((?:kubectl|tuntas|curl|psql) [^`]+)`")
_DATABASE = {service.replace("-", "_") for service in SERVICES}
_VERBS = {"get", "describe", "logs", "exec", "rollout", "top", "delete", "cordon", "annotate", "create"}
_ENDING = {"kafkatopics", "kafkausers", "kafka", "cluster", "certificate", "certificates", "scaledobjects", "prometheuses", "alertmanagers"}
_KINDS = _ENDING | {"pods", "pod", "nodes", "events", "deployment", "ingress", "job", "jobs", "secrets", "secret", "pvc", "prometheusrules"}


def _lines(file: Path) -> Iterator[str]:
    content = file.read_text(encoding="utf-8")
    for block in _SHELL.findall(content):
        yield from block.splitlines()
    yield from _INLINE.findall(content)


COMMANDS = sorted({(line, file.stem) for file in RUNBOOKS for line in _lines(file)})


def _of(program: str) -> list[str]:
    return sorted({line for line, _ in COMMANDS if line.startswith(program + " ")})


def test_each_alert_has_a_runbook_and_each_runbook_an_alert() -> None:
    assert {path.stem for path in RUNBOOKS} == {alert["alert"] for alert in ALERTS}


@pytest.mark.parametrize("runbook", RUNBOOKS, ids=lambda path: path.stem)
def test_a_runbook_has_its_four_headings_and_something_to_type(runbook: Path) -> None:
    content = runbook.read_text(encoding="utf-8")
    assert content.startswith(f"# {runbook.stem}\n")
    assert re.findall(r"^## (.+)$", content, re.MULTILINE) == HEADINGS
    parts = re.split(r"^## .+$", content, flags=re.MULTILINE)[1:]
    assert all(part.strip() for part in parts)
    assert "```promql" in parts[2]
    assert "```bash" in parts[2]
    assert len(content.splitlines()) < 60, "it is read at night"


def test_every_program_that_is_named_is_one_we_check() -> None:
    assert {line.split()[0] for line, _ in COMMANDS} == {"tuntas", "kubectl", "curl"}


@pytest.mark.parametrize("line", _of("tuntas"))
def test_a_command_of_ours_exists_with_its_options(line: str) -> None:
    _parse(line)


@pytest.mark.parametrize("line", ["tuntas ops parked lose", "tuntas ops parked list --all", "tuntas ops parked replay", "tuntas ops"])
def test_a_command_that_does_not_exist_is_found(line: str) -> None:
    with pytest.raises(Exception, match=r"no command|needs a command|No such option|Missing"):
        _parse(line)


def _parse(line: str) -> None:
    command: Any = typer.main.get_command(cli)
    words = shlex.split(line)[1:]
    while hasattr(command, "commands"):
        assert words, f"{line}: {command.name} needs a command"
        assert words[0] in command.commands, f"{line}: {command.name} has no command {words[:1]}"
        command = command.commands[words.pop(0)]
    command.make_context(line, words).close()


@pytest.mark.parametrize("line", _of("kubectl"))
def test_a_kubectl_command_names_what_there_is(line: str) -> None:
    words = shlex.split(line.split(" | ")[0])[1:]
    if words[0] == "-n":
        assert words[1] in {"tuntas", "ingress-nginx"}
        words = words[2:]
    assert words[0] in _VERBS
    names = [word for word in words[1:] if not word.startswith("-")]
    for kind, _, name in (word.partition("/") for word in words if word.startswith("deployment/")):
        assert kind == "deployment"
        assert name.removeprefix("tuntas-") in {*SERVICES, "ingress-nginx-controller"}
    if words[0] in {"get", "describe", "delete"}:
        assert set(names[0].split(",")) <= _KINDS, line
    if words[0] == "describe" and len(names) > 1:
        assert names[1].startswith("tuntas"), line


# A line, and why it fails at night.
_USELESS = {
    r"exec \S*tuntas-postgres-\d": "after a failover this pod is a standby or gone: address the primary by `service/tuntas-postgres-rw`",
    r"\bscale\b": "KEDA owns the number of pods and undoes it within 15 s: pause the ScaledObject by its annotation",
    r"rollout undo": "it belongs to another field manager, and settings.yaml still names the bad tag: set the former tag and apply",
}
_DOCUMENTS = [*RUNBOOKS, FOLDER / "README.md", ROOT / "docs" / "operations.md", ROOT / "deploy" / "k8s" / "README.md"]


def _useless(line: str) -> str | None:
    return next((why for pattern, why in _USELESS.items() if re.search(pattern, line)), None)


@pytest.mark.parametrize("document", _DOCUMENTS, ids=lambda path: path.stem)
def test_no_document_tells_an_operator_to_type_what_has_no_effect(document: Path) -> None:
    for line in _lines(document):
        assert _useless(line) is None, f"{line}: {_useless(line)}"


@pytest.mark.parametrize(
    "line",
    [
        "kubectl -n tuntas exec tuntas-postgres-1 -c postgres -- psql intake -c 'SELECT 1'",
        "kubectl -n tuntas exec pod/tuntas-postgres-2 -- psql",
        "kubectl -n tuntas scale deployment/tuntas-triage --replicas=0",
        "kubectl scale --replicas=0 deployment tuntas-triage",
        "kubectl -n tuntas rollout undo deployment/tuntas-intake",
    ],
)
def test_a_line_that_has_no_effect_is_found(line: str) -> None:
    assert _useless(line)


def test_the_names_in_kubectl_commands_are_those_of_the_manifests() -> None:
    platform = ROOT / "deploy" / "k8s" / "platform"
    kafka = yaml.safe_load((platform / "kafka" / "kafka.yaml").read_text(encoding="utf-8"))
    postgres = yaml.safe_load((platform / "postgres" / "cluster.yaml").read_text(encoding="utf-8"))
    assert (kafka["metadata"]["name"], postgres["metadata"]["name"]) == ("tuntas", "tuntas-postgres")
    container = yaml.safe_load((ROOT / "deploy/k8s/base/service/deployment.yaml").read_text(encoding="utf-8"))
    assert container["spec"]["template"]["spec"]["containers"][0]["name"] == "service"


@pytest.mark.parametrize("line", _of("curl"))
def test_an_address_is_one_that_a_service_answers(line: str) -> None:
    found = re.search(r"\$TUNTAS_URL_([A-Z_]+)(/[\w/-]+)", line)
    assert found is not None, f"{line}: take the address from the settings of `tuntas ops`"
    routes = {getattr(route, "path", "") for route in built(found[1].lower().replace("_", "-")).http.routes}
    # parts of the application are included as a whole; their paths are in its description
    assert found[2] in routes | set(built(found[1].lower().replace("_", "-")).http.openapi()["paths"])


def _statements() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in _of("kubectl"):
        if asked := re.search(r'psql (\w+) -c "(.+)"$', line):
            found.setdefault(asked[1], []).append(asked[2])
    return found


_ALLOWED = ("SELECT ", "DELETE FROM consumer_offset ", "UPDATE consumer_offset SET position = ")


@pytest.mark.parametrize("database", sorted(_statements()))
async def test_what_is_asked_of_a_database_is_understood_by_it(database: str, servers: Servers) -> None:
    assert database in _DATABASE
    app = built(database.replace("_", "-"))
    settings: ServiceSettings = app.settings.model_copy(update={"database_url": SecretStr(servers.database())})
    await upgrade(database, settings.sqlalchemy_url)
    engine = create_async_engine(settings.sqlalchemy_url)
    try:
        async with engine.connect() as connection:
            for statement in _statements()[database]:
                assert statement.startswith(_ALLOWED), "a runbook reads, has a topic read again, or a batch passed"
                await connection.execute(text(statement))
    finally:
        await engine.dispose()


def test_queries_are_sound(tmp_path: Path) -> None:
    queries = [(file.stem, query) for file in RUNBOOKS for query in queries_of_runbook(file)]
    assert len(queries) > len(RUNBOOKS)
    rules = [{"record": f"runbook:{name}:{n}", "expr": query} for n, (name, query) in enumerate(queries)]
    folder = tmp_path / "deploy" / "prometheus" / "rules"
    folder.mkdir(parents=True)
    (folder / "queries.yaml").write_text(yaml.safe_dump({"groups": [{"name": "runbooks", "rules": rules}]}), encoding="utf-8")
    assert check_rules(tmp_path) is None
