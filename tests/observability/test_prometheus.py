"""Prometheus beside the local stack: its settings are sound, and a real one runs with them and shows what it scraped."""

import json
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from prometheus_client.exposition import choose_encoder

from tests.support.servers import Servers
from tests.support.waiting import until
from tuntas_chassis.telemetry.metrics import Metric, MetricSet
from tuntas_devstack.options import StackOptions
from tuntas_devstack.stack import Stack
from tuntas_devstack.state import Part, read_state
from tuntas_embedded.ports import free_port
from tuntas_embedded.processes import Supervisor
from tuntas_embedded.prometheus.programs import find_promtool
from tuntas_embedded.prometheus.server import RULES, PrometheusServer, Target

TRACE = "ab" * 16
RULE = """
groups:
  - name: tests
    interval: 1s
    rules:
      - {record: "things:sum", expr: "sum by (service) (tuntas_things_total)"}
      - {alert: TooManyThings, expr: "things:sum > 1", labels: {severity: page}}
"""


@pytest.fixture
def service() -> Iterator[int]:
    """A port at which a service's metrics are, with an exemplar."""
    metrics = MetricSet((Metric("tuntas_things_total", "counter", "Things"), Metric("tuntas_wait_seconds", "histogram", "Wait")))
    metrics.inc("tuntas_things_total", by=3)
    metrics.observe("tuntas_wait_seconds", 0.2, trace_id=TRACE)

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            encode, kind = choose_encoder(self.headers.get("Accept", ""))
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(encode(metrics.registry))

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture
def prometheus(tmp_path: Path, service: int) -> Iterator[PrometheusServer]:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "tests.yaml").write_text(RULE, encoding="utf-8")
    server = PrometheusServer(tmp_path / "prometheus", free_port(), tmp_path / "log", rules=rules, scrape_s=1)
    supervisor = Supervisor()
    try:
        supervisor.start(server.prepare([Target("intake", "intake-2", f"127.0.0.1:{service}")]))
        yield server
    finally:
        supervisor.stop_all()


async def ask(server: PrometheusServer, path: str, **parameters: str) -> Any:
    async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:
        return (await client.get(f"/api/v1/{path}", params=parameters)).raise_for_status().json()["data"]


async def test_it_scrapes_under_our_labels_and_evaluates_our_rules(prometheus: PrometheusServer) -> None:
    async def fired() -> Any:
        return (await ask(prometheus, "query", query='ALERTS{alertname="TooManyThings",alertstate="firing"}'))["result"]

    (alert,) = await until(fired, "the alert fires", 40)
    assert alert["metric"]["service"] == "intake"
    (sample,) = (await ask(prometheus, "query", query="tuntas_things_total"))["result"]
    assert sample["metric"] == {"__name__": "tuntas_things_total", "job": "tuntas", "service": "intake", "instance": "intake-2"}
    assert float(sample["value"][1]) == 3


async def test_it_keeps_the_traces_behind_latencies(prometheus: PrometheusServer) -> None:
    async def found() -> Any:
        return await ask(prometheus, "query_exemplars", query="tuntas_wait_seconds_bucket", start="0", end="9999999999")

    (series,) = await until(found, "the exemplar is stored", 40)
    assert [example["labels"]["trace_id"] for example in series["exemplars"]] == [TRACE]


def test_a_part_is_healthy_once_prometheus_is(prometheus: PrometheusServer) -> None:
    part = Part(name="prometheus", kind="prometheus", address=prometheus.address, url=prometheus.url)
    assert part.health() == "ready"


def test_every_replica_is_a_target_of_its_own_and_our_rules_are_loaded(tmp_path: Path) -> None:
    server = PrometheusServer(tmp_path, 9090, tmp_path / "log")
    targets = [Target("triage", "triage", "127.0.0.1:8002"), Target("triage", "triage-2", "127.0.0.1:8012")]
    settings = tmp_path / "prometheus.yml"
    settings.write_text(json.dumps(server.settings(targets)), encoding="utf-8")
    done = subprocess.run([find_promtool(), "check", "config", settings], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert settings.read_text().count('"service": "triage"') == 2
    files = sorted(RULES.glob("*.yaml"))
    assert f"{len(files)} rule files found" in done.stdout or not files


def test_a_stack_that_is_observed_has_it_as_a_part_of_its_own(tmp_path: Path, servers: Servers) -> None:
    tmp_path.chmod(0o711)
    options = StackOptions(services=(), agencies=(), observe=True, kafka=servers.bootstrap, database=servers.admin_url)
    with Stack(tmp_path / "stack", options) as stack:
        part = read_state(stack.folder).part("prometheus")
        assert part.health() == "ready"
        assert part.url is not None
        assert httpx.get(f"{part.url}/api/v1/rules").json()["data"]["groups"], "our rules are loaded"
        assert Path(str(part.log)).parent == stack.folder.logs
    assert part.health() == "dead"
    assert any((tmp_path / "stack" / "prometheus" / "data").iterdir()), "what it scraped stays for the next start"
