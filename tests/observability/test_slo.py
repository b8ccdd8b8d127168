"""The objectives: what is generated from them is what is committed, and what they read is declared."""

import shutil
from pathlib import Path

import pytest
import yaml

from tests.architecture.sources import ROOT
from tuntas_tools.observability import generated
from tuntas_tools.observability.__main__ import main
from tuntas_tools.observability.metric_list import DECLARED
from tuntas_tools.observability.promql import buckets
from tuntas_tools.observability.readers import readers
from tuntas_tools.observability.slo import BURNS, BadObjective, read_objectives, seconds

SLO = ROOT / "deploy" / "prometheus" / "slo.yaml"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout with only what is generated and what that is generated from."""
    for folder in ("deploy/prometheus", "deploy/grafana", "docs/runbooks", "deploy/k8s/components/alerts"):
        if (ROOT / folder).exists():
            shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "pyproject.toml").write_text("", encoding="utf-8")
    shutil.copy(ROOT / "docs" / "metrics.md", tmp_path / "docs")
    return tmp_path


def test_committed_files_are_up_to_date() -> None:
    assert generated.differences(ROOT) == []


def test_a_stricter_objective_changes_its_alert_and_is_reported_until_generated(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    generated.generate(copy)
    assert generated.generate(copy) == []
    file = copy / "deploy" / "prometheus" / "slo.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("objective: 0.999", "objective: 0.9995"), encoding="utf-8")
    (copy / "docs" / "metrics.md").unlink()
    assert main(["check", "--root", str(copy)]) == 1
    errors = capsys.readouterr().err
    assert f"deploy/prometheus/rules/slo.yaml is out of date: run `{generated.COMMAND}`" in errors
    assert f"docs/metrics.md is missing: run `{generated.COMMAND}`" in errors
    assert main(["generate", "--root", str(copy)]) == 0
    assert "14.4 * 0.0005" in (copy / "deploy" / "prometheus" / "rules" / "slo.yaml").read_text(encoding="utf-8")
    assert "14.4 * 0.0005" in (copy / "deploy/k8s/components/alerts/generated/rules.yaml").read_text(encoding="utf-8")
    assert main(["check", "--root", str(copy)]) == 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("objective: 0.999", "objective: 0.9", "leaves no budget"),
        ("objective: 0.999", "objective: 1.0", "leaves no budget"),
        ("window: 30d", "window: month", "no span of time"),
        ("few: 10", "fewer: 10", "give exactly"),
        ("name: report-latency", "name: report-acceptance", "stands there twice"),
        ("[$window]))\n    total", "[5m]))\n    total", "rates over"),
    ],
)
def test_an_objective_that_is_none_is_refused_with_what_to_change(old: str, new: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "slo.yaml"
    text = SLO.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadObjective, match=said.replace("[", r"\[")):
        read_objectives(file)


def test_the_four_promises_are_kept_in_view_and_burn_at_four_speeds() -> None:
    objectives = read_objectives(SLO)
    assert {"report-acceptance", "report-latency", "report-delivery", "warning-punctuality", "notice-delivery"} == {
        s.name for s in objectives.slos
    }
    assert [burn.rate for burn in BURNS] == [14.4, 6, 3, 1]
    assert all(seconds(burn.long) == 12 * seconds(burn.short) for burn in BURNS)
    rules = yaml.safe_load((ROOT / "deploy/prometheus/rules/slo.yaml").read_text(encoding="utf-8"))
    fired = [(r["alert"], r["labels"]["burn_rate"]) for g in rules["groups"] for r in g["rules"] if "alert" in r]
    assert sorted(fired) == sorted((s.alert, f"{b.rate:g}") for s in objectives.slos for b in BURNS)


def test_every_bucket_that_is_read_is_a_bucket_of_its_histogram() -> None:
    known = {m.name: {str(float(bound)) for bound in m.buckets} for metrics in DECLARED.values() for m in metrics if m.kind == "histogram"}
    read = {(r.kind, r.name, *bucket) for r in readers(ROOT) for bucket in buckets(r.expression)}
    assert read, "the objectives read buckets"
    assert [one for one in read if one[3] not in known[one[2]] | {"+Inf"}] == []
