"""Grafana's dashboards as code: written to `deploy/grafana`, and compared with it by a test."""

import json
from collections.abc import Sequence
from pathlib import Path

from tuntas_embedded.prometheus.programs import REPOSITORY
from tuntas_tools.observability.dashboards.agency import AGENCY
from tuntas_tools.observability.dashboards.bus import BUS
from tuntas_tools.observability.dashboards.clocks import CLOCKS
from tuntas_tools.observability.dashboards.grafana import dashboard_json
from tuntas_tools.observability.dashboards.model import Dashboard
from tuntas_tools.observability.dashboards.national import NATIONAL
from tuntas_tools.observability.dashboards.services import SERVICES
from tuntas_tools.observability.dashboards.slo import SLO

FOLDER = REPOSITORY / "deploy" / "grafana"
DASHBOARDS: Sequence[Dashboard] = (NATIONAL, CLOCKS, AGENCY, BUS, SLO, *SERVICES)


def generated() -> dict[str, str]:
    """The text of every file by its name."""
    return {
        f"{dashboard.file}.json": json.dumps(dashboard_json(dashboard), indent=1, ensure_ascii=False) + "\n" for dashboard in DASHBOARDS
    }


def write_dashboards(folder: Path = FOLDER) -> list[Path]:
    """Write what differs and remove what is no longer generated; gives the files that were touched."""
    wanted = generated()
    touched = stale_dashboards(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for path in touched:
        if path.name in wanted:
            path.write_text(wanted[path.name], encoding="utf-8")
        else:
            path.unlink()
    return touched


def stale_dashboards(folder: Path = FOLDER) -> list[Path]:
    """Files that are missing, not as generated, or generated no longer."""
    wanted = generated()
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return [folder / name for name in sorted(wanted.keys() | found.keys()) if wanted.get(name) != found.get(name)]
