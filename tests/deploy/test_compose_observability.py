"""The profile `observability`: what watches the containers finds them, our rules, our dashboards, and each other."""

import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from tests.deploy.compose_file import ROOT, SERVICES, containers, environment
from tuntas_embedded.prometheus.programs import find_promtool
from tuntas_embedded.prometheus.server import JOB, RULES

PARTS = ROOT / "deploy" / "compose"
GRAFANA = ROOT / "deploy" / "grafana"
WATCHING = {"prometheus", "grafana", "collector", "jaeger"}


def read(name: str) -> Any:
    return yaml.safe_load((PARTS / name).read_text(encoding="utf-8"))


def mounted(container: str) -> dict[str, Path]:
    """What lies in a container, by where it lies there."""
    volumes = [volume.split(":") for volume in containers()[container]["volumes"]]
    return {volume[1]: ROOT / volume[0] for volume in volumes if volume[0].startswith(".")}


def reaches(url: str) -> str:
    """The container that an address names."""
    host = urlsplit(url).hostname
    assert host in WATCHING | set(SERVICES)
    return host


def test_it_runs_only_when_asked_for_and_has_no_rights() -> None:
    assert {name for name, container in containers().items() if container.get("profiles") == ["observability"]} == WATCHING
    for name in WATCHING:
        assert containers()[name]["cap_drop"] == ["ALL"]
        assert containers()[name]["security_opt"] == ["no-new-privileges:true"]


def test_prometheus_takes_its_settings(tmp_path: Path) -> None:
    settings = (PARTS / "prometheus.yml").read_text(encoding="utf-8").replace("/etc/prometheus/rules", str(RULES))
    (tmp_path / "prometheus.yml").write_text(settings, encoding="utf-8")
    done = subprocess.run([find_promtool(), "check", "config", tmp_path / "prometheus.yml"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert mounted("prometheus")["/etc/prometheus/rules"] == RULES


def test_every_service_is_scraped_under_the_labels_that_rules_go_by() -> None:
    (job,) = [job for job in read("prometheus.yml")["scrape_configs"] if job["job_name"] == JOB]
    scraped = {target: labels["labels"]["service"] for labels in job["static_configs"] for target in labels["targets"]}
    assert scraped == {f"{service}:8080": service for service in SERVICES}


def test_grafana_finds_data_sources_and_dashboards() -> None:
    sources = {source["uid"]: source for source in read("grafana/datasources.yaml")["datasources"]}
    assert {reaches(source["url"]) for source in sources.values()} == {"prometheus", "jaeger"}
    (traces,) = sources["prometheus"]["jsonData"]["exemplarTraceIdDestinations"]
    assert sources[traces["datasourceUid"]]["type"] == "jaeger"
    (provider,) = read("grafana/dashboards.yaml")["providers"]
    folder = provider["options"]["path"]
    assert mounted("grafana")[folder] == GRAFANA
    home = environment(containers()["grafana"])["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home in {f"{folder}/{path.name}" for path in GRAFANA.glob("*.json")}
    assert {"datasources.yaml", "dashboards.yaml"} == {path.name for path in mounted("grafana").values() if path != GRAFANA}


def test_traces_go_from_the_services_over_the_collector_to_the_viewer() -> None:
    collector, cluster = read("collector.yaml"), yaml.safe_load((ROOT / "deploy/k8s/platform/collector/collector.yaml").read_text())
    for service in SERVICES:
        assert environment(containers()[service])["TUNTAS_OTLP_ENDPOINT"] == "", "nobody sends traces to a collector that was not asked for"
    advice = (ROOT / "docker-compose.yml").read_text(encoding="utf-8").split("OTLP_ENDPOINT=")[1].split()[0]
    assert reaches(advice) == "collector"
    assert collector["receivers"]["otlp"]["protocols"]["http"]["endpoint"].endswith(f":{urlsplit(advice).port}")
    assert reaches(collector["exporters"]["otlp_http"]["endpoint"]) == "jaeger"
    (pipeline,) = collector["service"]["pipelines"].values()
    for part in ("receivers", "processors", "exporters"):
        assert set(pipeline[part]) == collector[part].keys()
    assert collector["receivers"] == cluster["receivers"], "as in a cluster"
    assert containers()["collector"]["image"] == collector_image()


def collector_image() -> str:
    deployment, *_ = yaml.safe_load_all((ROOT / "deploy/k8s/platform/collector/deployment.yaml").read_text(encoding="utf-8"))
    image: str = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    return image
