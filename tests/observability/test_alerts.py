"""Rules and alerts: promtool finds them sound, each is tried just before and just after it fires, each says who is to do what."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture.sources import ROOT
from tuntas_tools.observability.promql import grouped_by, selectors
from tuntas_tools.observability.promtool import check_rules, run_tests, unit_tests
from tuntas_tools.observability.readers import rules

RULE_FILES = sorted((ROOT / "deploy" / "prometheus" / "rules").glob("*.yaml"))
ALERTS: list[dict[str, Any]] = [dict(rule) for file in RULE_FILES for rule in rules(file) if "alert" in rule]
TEAMS = {"platform", "intake", "cases", "deadlines", "notices", "security"}
_USED_LABEL = re.compile(r"\$labels\.(\w+)")


def _name(alert: dict[str, Any]) -> str:
    labels = alert["labels"]
    return "-".join(str(part) for part in (alert["alert"], labels["severity"], labels.get("burn_rate")) if part)


def test_promtool_finds_nothing_wrong_in_the_rules() -> None:
    assert check_rules(ROOT) is None


@pytest.mark.parametrize("file", unit_tests(ROOT), ids=lambda file: file.stem)
def test_alerts_are_silent_before_and_fire_after(file: Path) -> None:
    assert run_tests(file) is None


def test_promtool_does_find_what_is_wrong(tmp_path: Path) -> None:
    tests = yaml.safe_load((ROOT / "deploy/prometheus/tests/deadlines.yaml").read_text(encoding="utf-8"))
    tests["rule_files"] = [str(ROOT / "deploy/prometheus/rules/deadlines.yaml")]
    tests["tests"][0]["alert_rule_test"][0]["eval_time"] = "16m"
    file = tmp_path / "wrong.yaml"
    file.write_text(yaml.safe_dump(tests), encoding="utf-8")
    assert "DeadlinesStandStill" in (run_tests(file) or "")


def _tried(moment: str) -> set[str]:
    """What the hand-written tests try at their `first` or `last` moment, and burn rates at theirs."""
    found = set()
    for file in unit_tests(ROOT):
        for case in yaml.safe_load(file.read_text(encoding="utf-8"))["tests"]:
            for check in case.get("alert_rule_test", ()):
                expected = check["exp_alerts"]
                found |= {f"{check['alertname']}-{one['exp_labels']['severity']}" for one in expected if moment == "after"}
                found |= {check["alertname"]} if not expected and moment == "before" else set()
            for check in case.get("promql_expr_test", ()):
                alert, rate = re.findall(r'(?:alertname|burn_rate)="([^"]+)"', check["expr"])
                severity = re.findall(r'severity="([^"]+)"', check["expr"])[0]
                fires = check["exp_samples"][0]["value"] == 1
                found |= {f"{alert}-{severity}-{rate}"} if fires == (moment == "after") else set()
    return found


@pytest.mark.parametrize("alert", ALERTS, ids=_name)
def test_each_alert_is_tried_before_and_after(alert: dict[str, Any]) -> None:
    if alert["alert"] == "Watchdog":
        assert alert["expr"] == "vector(1)", "there is no before: it always fires"
        return
    before, after = _tried("before"), _tried("after")
    assert _name(alert) in after
    assert {_name(alert), alert["alert"]} & before


@pytest.mark.parametrize("alert", ALERTS, ids=_name)
def test_each_alert_says_who_is_to_do_what(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in {"page", "ticket", "none"}
    assert alert["labels"]["team"] in TEAMS
    assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}
    assert alert["annotations"]["runbook_url"] == f"docs/runbooks/{alert['alert']}.md"
    assert len(alert["annotations"]["summary"]) < 100, "a summary is read on a telephone"


@pytest.mark.parametrize("alert", ALERTS, ids=_name)
def test_texts_name_only_labels_that_the_alert_has(alert: dict[str, Any]) -> None:
    texts = " ".join(alert["annotations"].values())
    names = {label for selector in selectors(alert["expr"]) for label in selector.labels}
    whole = not re.search(r"\b(sum|max|min|count)\b", alert["expr"])  # nothing is aggregated away: every label of the target is there
    there = grouped_by(alert["expr"]) | names | ({"service", "instance"} if whole else set())
    assert set(_USED_LABEL.findall(texts)) <= there


def test_pages_are_few() -> None:
    pages = {alert["alert"] for alert in ALERTS if alert["labels"]["severity"] == "page"}
    assert len(pages) <= 25, "what wakes people for everything is switched off"


def test_no_two_alerts_are_alike() -> None:
    names = [_name(alert) for alert in ALERTS]
    assert sorted(names) == sorted(set(names))
