"""One agency: its cases by state, and whether it is on time."""

from tuntas_tools.observability.dashboards.model import Dashboard, Panel, Query, Row, Variable
from tuntas_tools.observability.dashboards.national import ON_TIME, on_time_share, open_cases
from tuntas_tools.observability.dashboards.queries import measured, or_all, or_zero, waits

_OPEN = "tuntas_dispatch_open_cases"
_DONE = "tuntas_sla_completion_cases"
_FOLLOW_UP = "tuntas_sla_mean_follow_up_working_days"
_HERE = 'agency="$agency"'


def _stat(title: str, description: str, states: str) -> Panel:
    return Panel(title=title, description=description, queries=[Query(open_cases(states, f",{_HERE}"))], kind="stat", width=4, height=5)


def _standing(standing: str) -> str:
    return or_zero(f'sum (max by (service_class) ({_DONE}{{{_HERE},standing="{standing}"}}))')


_NOW = Row(
    "Where its cases stand",
    [
        _stat("Belum Terverifikasi", "Cases that the agency has neither accepted nor returned (C2: 3 working days).", "at_agency"),
        _stat("Belum Ditindaklanjuti", "Accepted cases without a first follow-up (C3: 5 working days).", "dispatched"),
        _stat("Sedang Diproses", "Cases in work, or answered and open to the reporter's reply.", "in_progress|responded"),
        _stat("Tertunda", "Cases that wait for data.", "awaiting_data"),
        Panel(
            title="On time",
            description="Completions (C4) begun in the last 90 days and answered in time, as a share of those answered or missed.",
            queries=[Query(or_all(on_time_share("", f",{_HERE}")))],
            kind="stat",
            unit="percentunit",
            thresholds=ON_TIME,
            width=4,
            height=5,
        ),
        Panel(
            title="Mean follow-up",
            description="Mean time from acceptance to the first answer, in working days, of completions begun in the last 90 days.",
            queries=[Query(or_zero(measured(_FOLLOW_UP, (), _HERE)))],
            kind="stat",
            decimals=1,
            thresholds=waits(10, 14),
            width=4,
            height=5,
        ),
        Panel(
            title="Unfinished cases by state",
            description="The same over time. What only grows is what the agency does not get to.",
            queries=[Query(or_zero(measured(_OPEN, ("state",), _HERE)), "{{state}}")],
            stacked=True,
            width=24,
        ),
    ],
)

_COMPLETION = Row(
    "Completion (C4), last 90 days",
    [
        Panel(
            title="On time by class",
            description="Share answered in time, by class: information and normative 5, ordinary 14, supervisory 60 working days.",
            queries=[Query(or_all(on_time_share("service_class", f",{_HERE}")), "{{service_class}}")],
            kind="bargauge",
            unit="percentunit",
            thresholds=ON_TIME,
            at_most=1,
        ),
        Panel(
            title="Completions",
            description="In time, late or missed, and still running, over time.",
            queries=[
                Query(_standing("on_time"), "in time"),
                Query(_standing("late"), "late or missed"),
                Query(_standing("running"), "running"),
            ],
        ),
        Panel(
            title="Against all agencies",
            description="The agency's mean follow-up time in working days, beside the median of all agencies that answered anything.",
            queries=[
                Query(or_zero(measured(_FOLLOW_UP, (), _HERE)), "$agency"),
                Query(or_zero(f"quantile(0.5, max by (agency) ({_FOLLOW_UP}))"), "median of all"),
            ],
        ),
    ],
)

AGENCY = Dashboard(
    file="agency",
    title="Tuntas: one agency",
    description="The cases of one agency, chosen above: where they stand and whether they are answered in time.",
    variables=[Variable("agency", "Agency", _OPEN, "agency")],
    rows=[_NOW, _COMPLETION],
    since="now-7d",
    refresh="1m",
)
