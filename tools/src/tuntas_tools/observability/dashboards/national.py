"""The national overview: from report to closed, in the ministry's terms."""

from tuntas_tools.observability.dashboards.model import Dashboard, Panel, Query, Row, Threshold
from tuntas_tools.observability.dashboards.queries import increase, measured, or_all, or_zero, per_hour, rate, waits, wanted

_QUEUE = "tuntas_triage_queue_cases"
_OPEN = "tuntas_dispatch_open_cases"
_MOVES = "tuntas_dispatch_transitions_total"
_DONE = "tuntas_sla_completion_cases"
ON_TIME = wanted(0.8, 0.95)


def open_cases(states: str, more: str = "") -> str:
    """Cases in any of these states (`a|b`), as every replica of dispatch counts them."""
    return or_zero(measured(_OPEN, (), f'state=~"{states}"{more}', inner=("agency", "state")))


def on_time_share(by: str, where: str = "") -> str:
    """Completions in time, as a share of those in time or late."""
    deduplicated = "max by (agency, service_class, standing)"
    decided = f'standing=~"on_time|late"{where}'
    grouped = f"sum by ({by}) " if by else "sum "
    good = f'{grouped}({deduplicated} ({_DONE}{{standing="on_time"{where}}}))'
    return f"({good} or 0 * {grouped}({deduplicated} ({_DONE}{{{decided}}}))) / {grouped}({deduplicated} ({_DONE}{{{decided}}}))"


_WAITING = or_zero(measured(_QUEUE, inner=("kind",)))
_CLOSED = or_zero(increase(_MOVES, (), 'transition=~"T17|T18"'))
_ARCHIVED = or_zero(increase("tuntas_triage_archives_total"))

BUCKETS = Row(
    "Where cases stand, in the terms of the national statistics",
    [
        Panel(
            title="Belum Terverifikasi – pusat",
            description="Reports that wait for the national administrators: verification (C1, 3 working days) and arbitration (C10, one).",
            queries=[Query(_WAITING)],
            kind="stat",
            thresholds=waits(500, 2_000),
            width=4,
            height=5,
            link="service-triage",
        ),
        Panel(
            title="Belum Terverifikasi – instansi",
            description="Cases at an agency that has not accepted them yet (at_agency): C2 runs, 3 working days.",
            queries=[Query(open_cases("at_agency"))],
            kind="stat",
            thresholds=waits(2_000, 10_000),
            width=4,
            height=5,
        ),
        Panel(
            title="Terdisposisi – Belum Ditindaklanjuti",
            description="Accepted cases that no officer has followed up yet (dispatched): C3 runs, 5 working days.",
            queries=[Query(open_cases("dispatched"))],
            kind="stat",
            thresholds=waits(5_000, 20_000),
            width=4,
            height=5,
        ),
        Panel(
            title="Terdisposisi – Sedang Diproses",
            description="Cases in work or answered and within the reporter's window to reply (in_progress, responded).",
            queries=[Query(open_cases("in_progress|responded"))],
            kind="stat",
            width=4,
            height=5,
        ),
        Panel(
            title="Tertunda",
            description="Cases that wait for data asked of the reporter or of others (awaiting_data): C7 runs, 30 days.",
            queries=[Query(open_cases("awaiting_data"))],
            kind="stat",
            width=4,
            height=5,
        ),
        Panel(
            title="Selesai · Arsip",
            description="Closed (Selesai: T17 by time, T18 by the reporter) and archived with a reason (Arsip: T13) in the time shown.",
            queries=[Query(_CLOSED, "Selesai"), Query(_ARCHIVED, "Arsip")],
            kind="stat",
            decimals=0,
            width=4,
            height=5,
        ),
        Panel(
            title="Unfinished cases by bucket",
            description="The same over time. A bucket that only grows is where the pipeline is stuck.",
            queries=[
                Query(_WAITING, "Belum Terverifikasi – pusat"),
                Query(open_cases("at_agency"), "Belum Terverifikasi – instansi"),
                Query(open_cases("dispatched"), "Belum Ditindaklanjuti"),
                Query(open_cases("in_progress|responded"), "Sedang Diproses"),
                Query(open_cases("awaiting_data"), "Tertunda"),
            ],
            stacked=True,
            width=24,
        ),
    ],
)

FLOW = Row(
    "From report to closed",
    [
        Panel(
            title="Steps an hour",
            description="How many cases take each step in an hour. Lines that part for long mean a queue between two steps.",
            queries=[
                Query(or_zero(per_hour("tuntas_intake_reports_total")), "received"),
                Query(or_zero(per_hour("tuntas_triage_forwards_total")), "verified and routed (T3)"),
                Query(or_zero(per_hour(_MOVES, (), 'transition=~"T4|T5"')), "accepted by the agency (T4, T5)"),
                Query(or_zero(per_hour(_MOVES, (), 'transition=~"T14|T5"')), "first follow-up (T14, T5)"),
                Query(or_zero(per_hour(_MOVES, (), 'transition="T15"')), "answered (T15)"),
                Query(or_zero(per_hour(_MOVES, (), 'transition=~"T17|T18"')), "closed (T17, T18)"),
            ],
            width=16,
            height=9,
        ),
        Panel(
            title="Reports by channel",
            description="Reports accepted in the time shown, by the channel over which they came.",
            queries=[Query(or_zero(increase("tuntas_intake_reports_total", ("channel",))), "{{channel}}")],
            kind="bargauge",
            decimals=0,
            width=4,
            height=9,
        ),
        Panel(
            title="Reports by classification",
            description="Complaints (pengaduan), information requests (permintaan informasi) and aspirations (aspirasi) in the time shown.",
            queries=[Query(or_zero(increase("tuntas_intake_reports_total", ("classification",))), "{{classification}}")],
            kind="bargauge",
            decimals=0,
            width=4,
            height=9,
        ),
    ],
)

PROMISE = Row(
    "On time",
    [
        Panel(
            title="On time by class",
            description=(
                "Completions (C4) begun in the last 90 days that were answered in time, as a share of those answered or missed; "
                "those still running do not count. Limits: information and normative 5, ordinary 14, supervisory 60 working days."
            ),
            queries=[Query(or_all(on_time_share("service_class")), "{{service_class}}")],
            kind="bargauge",
            unit="percentunit",
            thresholds=ON_TIME,
            at_most=1,
        ),
        Panel(
            title="Completions by class",
            description="The same completions in numbers: in time, late or missed, and still running.",
            queries=[
                Query(or_zero(f"sum by (service_class, standing) (max by (agency, service_class, standing) ({_DONE}))"), "cases"),
            ],
            kind="table",
        ),
        Panel(
            title="Deadlines missed",
            description="Deadlines that ran out unmet in the time shown, by clock; C4 is completion, C9 the statute's 60 days.",
            queries=[Query(or_zero(increase("tuntas_sla_deadlines_missed_total", ("clock",))), "{{clock}}")],
            kind="bargauge",
            thresholds=waits(1, 10),
            decimals=0,
            link="clocks",
        ),
    ],
)

HOT_SPOTS = Row(
    "Where it piles up",
    [
        Panel(
            title="Oldest in the national queue",
            description="How long the oldest report has waited for verification; C1 allows 3 working days.",
            queries=[Query(or_zero(measured("tuntas_triage_queue_oldest_seconds")))],
            kind="stat",
            unit="s",
            thresholds=waits(2 * 86_400, 3 * 86_400),
            width=4,
        ),
        Panel(
            title="Agencies with most cases not verified",
            description="Ten agencies with most cases that they have neither accepted nor returned (at_agency).",
            queries=[Query(or_zero(f'topk(10, max by (agency) ({_OPEN}{{state="at_agency"}}))'), "{{agency}}")],
            kind="bargauge",
            link="agency",
            link_variable="agency",
            width=7,
        ),
        Panel(
            title="Agencies with most cases late",
            description="Ten agencies with most completions (C4) of the last 90 days that were answered late or missed.",
            queries=[
                Query(
                    or_zero(f'topk(10, sum by (agency) (max by (agency, service_class) ({_DONE}{{standing="late"}})))'),
                    "{{agency}}",
                )
            ],
            kind="bargauge",
            thresholds=[Threshold(1, "yellow"), Threshold(50, "red")],
            link="agency",
            link_variable="agency",
            width=7,
        ),
        Panel(
            title="Returned, not ours",
            description="Cases that agencies gave back (bukan wewenang, T10), an hour; the second return ends in a binding arbitration.",
            queries=[Query(or_zero(f"{rate('tuntas_triage_returns_total', ('arbitration',))} * 3600"), "arbitration: {{arbitration}}")],
            width=6,
        ),
    ],
)

NATIONAL = Dashboard(
    file="national",
    title="Tuntas: national overview",
    description="The way of all reports from receipt to closed, in the ministry's terms, and how much of it is on time.",
    rows=[BUCKETS, FLOW, PROMISE, HOT_SPOTS],
    since="now-24h",
    refresh="1m",
)
