"""promtool tests of the burn-rate alerts: silent just before the long window has burned enough, firing just after.

What is expected is reckoned from the promise alone, not taken from the rules: with a share `f` of bad events from a moment on, a window
`L` that was clean before has spent `rate` times the budget after `rate * budget / f * L`.
"""

import re
from typing import Any

from tuntas_tools.observability.slo import BURNS, WINDOW, Burn, Objective, Objectives, seconds
from tuntas_tools.observability.slo_rules import groups

_SELECTOR = re.compile(rf"rate\(([a-z_]+)(\{{[^}}]*\}})?\[{re.escape(WINDOW)}\]\)")
_EVENTS_A_STEP = 6_000
_STEPS = {14.4: 60, 6.0: 300, 3.0: 1_200, 1.0: 3_600}
_MATCHER = re.compile(r'(\w+)(=|!=|!~|=~)"([^"]*)"')


def tests(told: Objectives, rule_file: str) -> dict[str, dict[str, Any]]:
    """The test files by name, one for each speed of burning: rules are evaluated only as often as that speed needs."""
    files = {}
    for burn in BURNS:
        cases = [_case(slo, burn) for slo in told.slos]
        if burn is BURNS[0]:
            cases += [_total_failure(told.slos[0]), _too_few(told.slos[0])]
        files[f"slo-{burn.rate:g}.yaml"] = {
            "rule_files": [rule_file],
            "evaluation_interval": f"{_STEPS[burn.rate]}s",
            "group_eval_order": [group["name"] for group in groups(told)],  # an alert must see what was recorded at its own moment
            "tests": cases,
        }
    return files


def _case(slo: Objective, burn: Burn) -> dict[str, Any]:
    step, long = _STEPS[burn.rate], seconds(burn.long)
    share = min(1.0, burn.rate * slo.budget * 4)
    crossing = long + burn.rate * slo.budget / share * long
    slack = 3 * step  # one rule reads what another recorded a step ago, and rates are extrapolated to their window's ends
    clean = long // step
    dirty = round((crossing - long + slack + seconds(burn.hold)) / step) + 4
    bad = round(_EVENTS_A_STEP * share)
    return {
        "name": f"{slo.name} burns {burn.rate:g} times too fast",
        "interval": f"{step}s",
        "input_series": _series(slo, clean, dirty, bad),
        "promql_expr_test": [
            _expect(slo, burn, _whole(crossing - slack, step), firing=False),
            _expect(slo, burn, _whole(crossing + slack + step + seconds(burn.hold), step), firing=True),
        ],
    }


def _whole(at: float, step: int) -> int:
    return round(at / step) * step


def _expect(slo: Objective, burn: Burn, at: float, *, firing: bool) -> dict[str, Any]:
    found = f'count(ALERTS{{alertname="{slo.alert}",alertstate="firing",burn_rate="{burn.rate:g}",severity="{burn.severity}"}})'
    return {
        "expr": f"{found} or vector(0)",
        "eval_time": f"{round(at / 60)}m",
        "exp_samples": [{"labels": "{}", "value": 1 if firing else 0}],
    }


def _series(slo: Objective, clean: int, dirty: int, bad: int) -> list[dict[str, str]]:
    """Counters of good and of bad events: all good for `clean` steps, then `bad` of them bad for `dirty` steps."""
    good = _EVENTS_A_STEP
    of_good, of_total = _selectors(slo.good), _selectors(slo.total)
    head, tail = good * clean, good - bad
    healthy = f"0+{good}x{clean} {head + tail}+{tail}x{dirty}"
    broken = f"0x{clean} {bad}+{bad}x{dirty}"
    everything = f"0+{good}x{clean + 1 + dirty}"
    (good_name, good_labels), *_ = of_good
    if good_name.endswith("_bucket"):
        counted = [(name, labels) for name, labels in of_total if name.endswith("_count")]
        failed = [(name, labels) for name, labels in of_total if not name.endswith("_count")]
        # what is given up is not in the histogram
        rest = [(name, labels, healthy if failed else everything) for name, labels in counted]
        rest += [(name, labels, broken) for name, labels in failed]
        return [_line(good_name, good_labels, healthy), *(_line(*told) for told in rest)]
    return [_line(good_name, {**good_labels, "status": "201"}, healthy), _line(good_name, {**good_labels, "status": "503"}, broken)]


def _total_failure(slo: Objective) -> dict[str, Any]:
    burn = BURNS[0]
    (name, labels), *_ = _selectors(slo.good)
    return {
        "name": f"{slo.name}: nothing is good, so that there is no series of what is",
        "interval": "60s",
        "input_series": [_line(name, {**labels, "status": "503"}, "0+100x70")],
        "promql_expr_test": [_expect(slo, burn, 1_200, firing=True)],
    }


def _too_few(slo: Objective) -> dict[str, Any]:
    burn = BURNS[0]
    (name, labels), *_ = _selectors(slo.good)
    return {
        "name": f"{slo.name}: a few bad events at night are no alarm, one more is",
        "interval": "60s",
        "input_series": [
            _line(name, {**labels, "status": "201"}, "0+1x120"),
            _line(name, {**labels, "status": "503"}, f"0x60 1+1x{slo.few + 2} {slo.few + 2}x40"),
        ],
        "promql_expr_test": [
            _expect(slo, burn, (60 + slo.few - 2) * 60, firing=False),
            _expect(slo, burn, (60 + slo.few + 4) * 60, firing=True),
        ],
    }


def _selectors(expression: str) -> list[tuple[str, dict[str, str]]]:
    """(metric, labels that must be equal) of every rate in the expression."""
    return [(found[1], {m[1]: m[3] for m in _MATCHER.finditer(found[2] or "") if m[2] == "="}) for found in _SELECTOR.finditer(expression)]


def _line(name: str, labels: dict[str, str], values: str) -> dict[str, str]:
    inside = ",".join(f'{label}="{value}"' for label, value in labels.items())
    return {"series": f"{name}{{{inside}}}", "values": values}
