"""The files that follow from the objectives, the rules, the dashboards and the declared metrics, and whether they still do."""

import json
from pathlib import Path
from typing import Any

import yaml

from tuntas_tools.observability import metric_list, slo_rules, slo_tests
from tuntas_tools.observability.dashboards.grafana import dashboard_json
from tuntas_tools.observability.dashboards.loader import read_dashboards
from tuntas_tools.observability.slo import read_objectives

COMMAND = "python -m tuntas_tools.observability generate"
_PROMETHEUS = Path("deploy/prometheus")
_RULES = _PROMETHEUS / "rules" / "slo.yaml"
_COMPONENT = Path("deploy/k8s/components/alerts/generated/rules.yaml")
_GRAFANA = Path("deploy/grafana")


class _Dumper(yaml.SafeDumper):
    """Expressions stay on one line, and no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def generated_files(root: Path) -> dict[Path, str]:
    """Every generated file of a checkout, with its text. Raises BadObjective, BadDashboard."""
    told = read_objectives(root / _PROMETHEUS / "slo.yaml")
    files = {root / _RULES: _text({"groups": slo_rules.groups(told)}, "deploy/prometheus/slo.yaml")}
    for name, content in slo_tests.tests(told, "../rules/slo.yaml").items():
        files[root / _PROMETHEUS / "tests" / name] = _text(content, "deploy/prometheus/slo.yaml")
    files[root / _COMPONENT] = _objects(root, files[root / _RULES])
    for dashboard in read_dashboards(root):
        files[root / _GRAFANA / f"{dashboard.file}.json"] = json.dumps(dashboard_json(dashboard), indent=1, ensure_ascii=False) + "\n"
    return files


def _objects(root: Path, objectives: str) -> str:
    """The rules as objects of the Prometheus operator, one for each file."""
    texts = {file.stem: file.read_text(encoding="utf-8") for file in (root / _PROMETHEUS / "rules").glob("*.yaml")}
    texts["slo"] = objectives
    documents = [
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PrometheusRule",
            "metadata": {"name": f"tuntas-{name}", "labels": {"app.kubernetes.io/part-of": "tuntas"}},
            "spec": yaml.safe_load(text),
        }
        for name, text in sorted(texts.items())
    ]
    return "---\n".join(_text(document, "deploy/prometheus/rules" if not n else "") for n, document in enumerate(documents))


def _text(content: object, source: str) -> str:
    head = f"# Made from {source} by `{COMMAND}`: change that, not this.\n" if source else ""
    return head + yaml.dump(content, Dumper=_Dumper, sort_keys=False, width=10_000, allow_unicode=True)


def outdated(root: Path) -> dict[Path, str | None]:
    """The files that are not what they should be, with the text that they should have; None for a dashboard that is no longer one."""
    files: dict[Path, str | None] = {**dict.fromkeys((root / _GRAFANA).glob("*.json")), **generated_files(root)}
    wrong = {path: text for path, text in files.items() if _there(path) != text}
    # who looks at a metric follows from the rules as they will be
    path = root / metric_list.PAGE
    text = metric_list.page(root, COMMAND)
    return wrong if _there(path) == text else {**wrong, path: text}


def generate(root: Path) -> list[Path]:
    """Write what differs, remove dashboards that are no longer ones; gives the files written and removed."""
    written = []
    for _ in range(2):  # the list of metrics reads the rules that the first round wrote
        for path, text in outdated(root).items():
            written.append(path)
            if text is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return list(dict.fromkeys(written))


def differences(root: Path) -> list[str]:
    """A sentence for each file that is out of date."""
    return [
        f"{path.relative_to(root)} {'is missing' if not path.exists() else 'is out of date'}: run `{COMMAND}`" for path in outdated(root)
    ]


def _there(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
