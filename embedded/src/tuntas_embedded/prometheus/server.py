"""Prometheus beside the local stack: it scrapes the services, evaluates our rules, and keeps its data in the stack's folder."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tuntas_embedded.ports import LOOPBACK, answers_ready
from tuntas_embedded.processes import ProcessSpec
from tuntas_embedded.prometheus.programs import REPOSITORY, find_prometheus

RULES = REPOSITORY / "deploy" / "prometheus" / "rules"
JOB = "tuntas"
"""The `job` of every service here; in a cluster it is `<namespace>/tuntas`."""
READY_PATH = "/-/ready"
_SCRAPE_S = 5.0
_KEPT = "15d"


@dataclass(frozen=True, slots=True)
class Target:
    """One process to scrape: its service, its part's name (its own or `<service>-2` …), and host:port."""

    service: str
    part: str
    address: str


class PrometheusServer:
    """Prometheus with its settings and data in `folder`; what it scraped before survives any end and start."""

    name = "prometheus"

    def __init__(self, folder: Path, port: int, log: Path, *, rules: Path = RULES, scrape_s: float = _SCRAPE_S) -> None:
        """`rules` is a folder with rule files (`*.yaml`); rules are evaluated as often as targets are scraped."""
        self.url = f"http://{LOOPBACK}:{port}"
        self.address = f"{LOOPBACK}:{port}"
        self._folder = folder
        self._log = log
        self._rules = rules
        self._scrape_s = scrape_s

    def prepare(self, targets: Iterable[Target]) -> ProcessSpec:
        """Find the program and write the settings; gives what to run.

        Raises:
            MissingProgram: Prometheus can't be had.
        """
        program = find_prometheus()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings = self._folder / "prometheus.json"
        settings.write_text(json.dumps(self.settings(targets), indent=1), encoding="utf-8")
        return ProcessSpec(
            name=self.name,
            command=[
                str(program),
                f"--config.file={settings}",  # JSON is YAML
                f"--storage.tsdb.path={self._folder / 'data'}",
                f"--storage.tsdb.retention.time={_KEPT}",
                f"--web.listen-address={self.address}",
                "--enable-feature=exemplar-storage",
                "--log.level=warn",
            ],
            log=self._log,
            environment=os.environ,
            folder=self._folder,
            ready=lambda: answers_ready(self.url, READY_PATH),
            stop_within_s=10,
        )

    def settings(self, targets: Iterable[Target]) -> dict[str, object]:
        """Prometheus's settings as they are written: each target with the labels `service` and `instance` (the part's name)."""
        every = f"{round(self._scrape_s * 1000)}ms"
        return {
            "global": {"scrape_interval": every, "evaluation_interval": every, "scrape_timeout": every},
            "rule_files": [str(self._rules / "*.yaml")],
            "scrape_configs": [
                {
                    "job_name": JOB,
                    "static_configs": [
                        {"targets": [target.address], "labels": {"service": target.service, "instance": target.part}} for target in targets
                    ],
                }
            ],
        }
