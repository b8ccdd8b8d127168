"""The legal clocks C1 to C13: what runs, what ran out, and whether the monitor itself is punctual."""

from tuntas_tools.observability.dashboards.model import Dashboard, Panel, Query, Row
from tuntas_tools.observability.dashboards.national import PROMISE
from tuntas_tools.observability.dashboards.queries import increase, measured, or_all, or_zero, quantiles, rate, waits, wanted

_ENDED = "tuntas_sla_clocks_ended_total"
_MET = increase(_ENDED, ("clock",), 'outcome="met"')
_MET_AT_ALL = increase(_ENDED, ("clock",), 'outcome=~"met|met_late"')

_RUNNING = Row(
    "What the clocks do",
    [
        Panel(
            title="Due within a day",
            description="Warnings and deadlines that fall due in the next 24 hours unless the case moves on; after holidays they bunch.",
            queries=[
                Query(or_zero(measured("tuntas_sla_upcoming_checkpoints", ("clock", "level"))), "{{clock}} {{level}}"),
            ],
            kind="bargauge",
            width=6,
        ),
        Panel(
            title="Clocks started",
            description="Clocks started an hour: C1, C2 verification, C3 first follow-up, C4 completion, C6 reply, C8 re-answer.",
            queries=[Query(or_zero(f"{rate('tuntas_sla_clocks_started_total', ('clock',))} * 3600"), "{{clock}}")],
            width=9,
        ),
        Panel(
            title="Clocks ended",
            description="Clocks ended an hour, by how: met, met late, stopped (made moot), missed, elapsed (a window, which may).",
            queries=[Query(or_zero(f"{rate(_ENDED, ('outcome',))} * 3600"), "{{outcome}}")],
            stacked=True,
            width=9,
        ),
        Panel(
            title="Met in time, by clock",
            description="Clocks met in time, as a share of those met at all, in the time shown.",
            queries=[
                Query(or_all(f"{_MET} / ({_MET_AT_ALL} > 0)"), "{{clock}}"),
            ],
            kind="bargauge",
            unit="percentunit",
            thresholds=wanted(0.8, 0.95),
            at_most=1,
            width=6,
        ),
        Panel(
            title="Warnings",
            description="Warnings published an hour, by level: reminder, yellow, red, checkpoint (C5), escalated.",
            queries=[Query(or_zero(f"{rate('tuntas_sla_warnings_total', ('level',))} * 3600"), "{{level}}")],
            stacked=True,
            width=9,
        ),
        Panel(
            title="Deadlines missed and windows elapsed",
            description="Deadlines that ran out unmet, an hour by clock, and windows (C6) that ran out and close their case.",
            queries=[
                Query(or_zero(f"{rate('tuntas_sla_deadlines_missed_total', ('clock',))} * 3600"), "missed {{clock}}"),
                Query(or_zero(f"{rate('tuntas_sla_windows_elapsed_total', ('clock',))} * 3600"), "elapsed {{clock}}"),
            ],
            width=9,
        ),
    ],
)

_PUNCTUAL = Row(
    "Is the monitor punctual?",
    [
        Panel(
            title="Behind the clock",
            description=(
                "How far the lowest watermark is behind. Deadlines are judged only behind those of intake, triage and dispatch: a lag "
                "delays a warning and never invents one."
            ),
            queries=[Query(or_zero(measured("tuntas_sla_watermark_lag_seconds")), "lag")],
            unit="s",
            thresholds=waits(60, 300),
            width=6,
        ),
        Panel(
            title="Partitions without watermark",
            description="Partitions of the cases topic on which a source has no watermark yet: nothing fires there.",
            queries=[Query(or_zero(measured("tuntas_sla_unmarked_partitions")), "partitions")],
            thresholds=waits(1, 1),
            width=6,
        ),
        Panel(
            title="Due and held",
            description="Checkpoints that are due and wait for a watermark, for a late agency, or behind a dead letter of their case.",
            queries=[Query(or_zero(measured("tuntas_sla_due_held_checkpoints")), "checkpoints")],
            thresholds=waits(100, 1_000),
            width=6,
        ),
        Panel(
            title="Ready and not fired",
            description="Age of the oldest checkpoint that nothing holds back and that has not fired: the firing loop stands still.",
            queries=[Query(or_zero(measured("tuntas_sla_oldest_unfired_seconds")), "oldest")],
            unit="s",
            thresholds=waits(60, 300),
            width=6,
        ),
        Panel(
            title="Late agencies",
            description="Agencies whose topics lag or are in trouble: their deadlines wait, nobody else's do.",
            queries=[Query(or_zero(measured("tuntas_watermark_late_agencies")), "agencies")],
            thresholds=waits(1, 20),
            width=6,
        ),
        Panel(
            title="Time to tell",
            description="From a checkpoint's moment to its publication, over warnings, deadlines and windows.",
            queries=[Query(or_zero(query.expr), query.legend) for query in quantiles("tuntas_sla_firing_delay_seconds")],
            unit="s",
            thresholds=waits(60, 900),
            width=6,
        ),
    ],
)

CLOCKS = Dashboard(
    file="clocks",
    title="Tuntas: legal clocks",
    description="The clocks C1 to C13 of the regulation profile: started, met, missed, about to run out.",
    rows=[_RUNNING, PROMISE, _PUNCTUAL],
    since="now-24h",
    refresh="1m",
)
