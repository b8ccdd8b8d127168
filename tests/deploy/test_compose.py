"""The compose file is valid, complete, pinned, and says nothing that the services do not understand."""

import importlib
import json
import re
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from jsonschema import Draft202012Validator

from tests.deploy.compose_file import ROOT, SERVICES, compose, containers, environment, jobs, module_of, started_unasked
from tuntas_chassis.settings import ServiceSettings

each_service = pytest.mark.parametrize("name", SERVICES)
each_container = pytest.mark.parametrize("name", sorted(containers()))
DATABASES = (ROOT / "deploy" / "compose" / "databases.sql").read_text(encoding="utf-8")
OURS = sorted(name for name, container in containers().items() if container["image"].startswith("tuntas/"))
BUILT = sorted(name for name, container in containers().items() if "build" in container)


def official_schema() -> Draft202012Validator:
    file = Path(__file__).parent / "vendor" / "compose-spec" / "compose-spec.json"
    return Draft202012Validator(json.loads(file.read_text(encoding="utf-8")))


def settings_of(service: str) -> type[ServiceSettings]:
    found: type[ServiceSettings] = importlib.import_module(f"{module_of(service)}.settings").Settings
    return found


def test_it_is_valid_under_the_compose_specification() -> None:
    assert [f"{error.json_path}: {error.message[:200]}" for error in official_schema().iter_errors(compose())] == []


def test_the_specification_refuses_what_is_wrong() -> None:
    wrong = json.loads(json.dumps(compose()))
    wrong["services"]["intake"]["prots"] = ["8001:8080"]
    assert not official_schema().is_valid(wrong)


def test_the_five_services_run_and_each_migrates_first() -> None:
    long_running = {name for name, container in started_unasked().items() if container.get("restart") != "no"}
    assert long_running == {*SERVICES, "kafka", "postgres", "issuer", "mail"}
    assert set(jobs()) == {*(f"migrate-{name}" for name in SERVICES), "create-topics", "load-register"}
    for name in SERVICES:
        assert containers()[name]["image"] == containers()[f"migrate-{name}"]["image"]
        assert containers()[f"migrate-{name}"]["command"] == ["migrate"]


@each_container
def test_images_are_pinned(name: str) -> None:
    image, _, tag = containers()[name]["image"].rpartition(":")
    assert re.match(r"v?\d+\.\d+(\.\d+)?(-[a-z0-9.-]+)?$", tag), f"{image}:{tag}"


def test_each_image_of_ours_is_built_by_one_container() -> None:
    """Builds run side by side, and an engine refuses a tag that another build has just made."""
    images = [containers()[name]["image"] for name in BUILT]
    assert sorted(images) == sorted({containers()[name]["image"] for name in OURS})


@pytest.mark.parametrize("name", BUILT)
def test_our_images_are_built_by_our_file_under_our_version(name: str) -> None:
    container = containers()[name]
    service = container["build"]["args"]["SERVICE"]
    folder = ROOT / (service if service in ("operations", "devstack") else f"services/{service}")
    version = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert container["image"] == f"tuntas/{service}:{version}"
    assert container["build"]["context"] == "."


@pytest.mark.parametrize("name", OURS)
def test_our_containers_can_write_nowhere_and_have_no_rights(name: str) -> None:
    container = containers()[name]
    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert all(volume.endswith(":ro") for volume in container.get("volumes", ()))


@pytest.mark.parametrize("name", [*SERVICES, *(f"migrate-{service}" for service in SERVICES), "load-register"])
def test_every_variable_is_a_setting_of_the_service(name: str) -> None:
    service = containers()[name]["image"].removeprefix("tuntas/").partition(":")[0]
    known = {f"TUNTAS_{field.upper()}" for field in settings_of(service).model_fields}
    given = environment(containers()[name])
    assert set(given) <= known
    for variable, value in given.items():
        assert isinstance(value, str), f"{variable} must be quoted"


@each_service
def test_a_service_starts_with_the_settings_it_is_given(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in environment(containers()[name]).items():
        monkeypatch.setenv(variable, value)
    settings = settings_of(name)()
    assert settings.environment == "development"
    assert settings.http_port == 8080


@each_service
def test_each_service_has_a_role_and_database_of_its_own(name: str) -> None:
    module, variable = module_of(name), f"{module_of(name).upper()}_PASSWORD"
    url = urlsplit(environment(containers()[name])["TUNTAS_DATABASE_URL"])
    assert (url.username, url.path, url.hostname) == (module, f"/{module}", "postgres")
    assert url.password == environment(containers()["postgres"])[variable]
    made = rf"\\getenv password {variable}\nCREATE ROLE {module} LOGIN PASSWORD :'password';\nCREATE DATABASE {module} OWNER {module} "
    assert re.search(made, DATABASES)
    assert f"REVOKE CONNECT ON DATABASE {module} FROM PUBLIC;" in DATABASES


@each_container
def test_it_waits_for_what_it_needs(name: str) -> None:
    for other, how in containers()[name].get("depends_on", {}).items():
        needed = containers()[other]
        if how["condition"] == "service_completed_successfully":
            assert other in jobs()
        else:
            assert how["condition"] == "service_healthy"
            assert needed["healthcheck"]["test"][0] == "CMD"


@each_service
def test_a_service_waits_for_its_schema_the_topics_and_the_issuer(name: str) -> None:
    conditions = {other: how["condition"] for other, how in containers()[name]["depends_on"].items()}
    assert conditions[f"migrate-{name}"] == "service_completed_successfully"
    assert conditions["create-topics"] == "service_completed_successfully"
    assert conditions["issuer"] == "service_healthy"


def test_nothing_waits_for_itself() -> None:
    def needs(name: str, seen: tuple[str, ...] = ()) -> None:
        assert name not in seen, " → ".join((*seen, name))
        for other in containers()[name].get("depends_on", {}):
            needs(other, (*seen, name))

    for name in containers():
        needs(name)


def test_ports_are_published_on_loopback_and_only_once() -> None:
    published = [port for container in containers().values() for port in container.get("ports", ())]
    assert all(port.startswith("127.0.0.1:") for port in published)
    hosts = [port.split(":")[1] for port in published]
    assert len(hosts) == len(set(hosts))


def test_addresses_name_containers_and_their_ports() -> None:
    given: dict[str, Any] = {}
    for name in SERVICES:
        given |= environment(containers()[name])
    assert given["TUNTAS_KAFKA"] == environment(containers()["create-topics"])["TUNTAS_KAFKA"]
    host, port = given["TUNTAS_KAFKA"].split(":")
    assert host in containers()
    assert f"INTERNAL://{host}:{port}" in containers()["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    issuer = urlsplit(given["TUNTAS_OIDC_ISSUER"])
    assert issuer.hostname == "issuer"
    assert given["TUNTAS_OIDC_ISSUER"] in containers()["issuer"]["command"]
    assert urlsplit(given["TUNTAS_INTAKE_URL"]).hostname == "intake"
    assert given["TUNTAS_SMTP_HOST"] == "mail"
    assert given["TUNTAS_CLIENT_SECRET"] == environment(containers()["issuer"])["DEVELOPMENT_CLIENT_SECRET"]


@each_container
def test_mounted_files_are_there(name: str) -> None:
    for volume in containers()[name].get("volumes", ()):
        source, target = volume.split(":")[:2]
        if source.startswith("."):
            assert (ROOT / source).exists()
            for word in containers()[name].get("command", ()):
                if word.startswith(target):
                    assert (ROOT / source / Path(word).relative_to(target)).is_file()
        else:
            assert source in compose()["volumes"]


def test_the_broker_makes_no_topic_by_itself() -> None:
    assert containers()["kafka"]["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
