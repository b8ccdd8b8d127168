"""One dashboard per service: the rows that all have, and first what this service alone does."""

from tuntas_contracts.vocabulary import Service
from tuntas_tools.observability.dashboards.delivery import health, http, reading, writing
from tuntas_tools.observability.dashboards.model import Dashboard, Panel, Query, Row
from tuntas_tools.observability.dashboards.queries import increase, measured, or_zero, quantile, rate, waits

_INTAKE = Row(
    "Intake",
    [
        Panel(
            title="Reports accepted",
            description="Reports a second that got a receipt, by channel.",
            queries=[Query(or_zero(rate("tuntas_intake_reports_total", ("channel",))), "{{channel}}")],
            unit="ops",
        ),
        Panel(
            title="Oldest undecided report",
            description="Age of the oldest report that triage has neither forwarded nor queued: something between the two stands still.",
            queries=[Query(or_zero(measured("tuntas_intake_oldest_undecided_report_seconds")), "oldest")],
            unit="s",
            thresholds=waits(30, 60),
        ),
        Panel(
            title="Late undecided reports",
            description="Reports that have waited for triage for more than two minutes, dead letters among them.",
            queries=[Query(or_zero(measured("tuntas_intake_late_undecided_reports")), "reports")],
            thresholds=waits(1, 10),
        ),
        Panel(
            title="Reporters' inputs",
            description="What reporters sent after submitting: replies (T16) and confirmations (T18), an hour.",
            queries=[Query(or_zero(f"{rate('tuntas_intake_reporter_inputs_total', ('kind',))} * 3600"), "{{kind}}")],
        ),
        Panel(
            title="Identifiers masked",
            description="Identity numbers, phones, e-mails, accounts and names masked in texts in the time shown.",
            queries=[Query(or_zero(increase("tuntas_intake_masked_identifiers_total", ("kind",))), "{{kind}}")],
            kind="bargauge",
            decimals=0,
            width=6,
        ),
        Panel(
            title="Access refused",
            description="Tracking ids with a wrong access code, an hour; a jump of `wrong` or `blocked` is somebody guessing.",
            queries=[Query(or_zero(f"{rate('tuntas_intake_access_failures_total', ('outcome',))} * 3600"), "{{outcome}}")],
            thresholds=waits(100, 1_000),
            width=6,
        ),
        Panel(
            title="Personal data read",
            description="Reads of reporters' personal data, an hour; each is in the access log. Officers' reads carry a reason.",
            queries=[Query(or_zero(f"{rate('tuntas_intake_personal_data_reads_total', ('by',))} * 3600"), "{{by}}")],
            width=6,
        ),
        Panel(
            title="Receipts given again",
            description="Submissions with an Idempotency-Key that was there already, an hour: reporters' applications that try again.",
            queries=[Query(or_zero(f"{rate('tuntas_intake_idempotent_replays_total')} * 3600"), "repeats")],
            width=6,
        ),
    ],
)

_TRIAGE = Row(
    "Triage",
    [
        Panel(
            title="National queue",
            description="Reports that wait for verification, and those in arbitration.",
            queries=[Query(measured("tuntas_triage_queue_cases", ("kind",)), "{{kind}}")],
            stacked=True,
        ),
        Panel(
            title="Oldest in the queue",
            description="How long the oldest report has waited; C1 allows 3 working days, C10 one.",
            queries=[Query(measured("tuntas_triage_queue_oldest_seconds"), "oldest")],
            unit="s",
            thresholds=waits(2 * 86_400, 3 * 86_400),
        ),
        Panel(
            title="First decisions",
            description="New reports a second by where they go: T1 the national queue (and why), T2 the agency addressed, T21 fast track.",
            queries=[Query(or_zero(rate("tuntas_triage_decisions_total", ("transition", "reason"))), "{{transition}} {{reason}}")],
            unit="ops",
        ),
        Panel(
            title="Verified and routed",
            description="Reports that verifiers sent to an agency (T3), an hour; arbitrated ones can't be returned again.",
            queries=[Query(or_zero(f"{rate('tuntas_triage_forwards_total', ('arbitrated',))} * 3600"), "arbitrated: {{arbitrated}}")],
            width=6,
        ),
        Panel(
            title="Returned by agencies",
            description="Cases that came back as not ours (T10), an hour.",
            queries=[Query(or_zero(f"{rate('tuntas_triage_returns_total', ('arbitration',))} * 3600"), "arbitration: {{arbitration}}")],
            width=6,
        ),
        Panel(
            title="Archived by reason",
            description="Cases archived by a verifier (T13) in the time shown, by reason.",
            queries=[Query(or_zero(increase("tuntas_triage_archives_total", ("reason",))), "{{reason}}")],
            kind="bargauge",
            decimals=0,
            width=6,
        ),
        Panel(
            title="Inputs of reporters and of time",
            description="Inputs a second by what triage did: ignored (dispatch owns the case), republished behind a hand-over, rejected.",
            queries=[Query(or_zero(rate("tuntas_triage_inputs_total", ("outcome",))), "{{outcome}}")],
            unit="ops",
            width=6,
        ),
        Panel(
            title="Agencies known",
            description="Agencies in the copy of the register, the replica that knows fewest; 0 means that the register was never loaded.",
            queries=[Query("min (tuntas_triage_register_agencies)")],
            kind="stat",
            width=6,
            height=5,
        ),
    ],
)

_DISPATCH = Row(
    "Dispatch",
    [
        Panel(
            title="Transitions",
            description="Transitions of the domain's state table that dispatch made, an hour.",
            queries=[Query(or_zero(f"{rate('tuntas_dispatch_transitions_total', ('transition',))} * 3600"), "{{transition}}")],
        ),
        Panel(
            title="Commands",
            description="Commands a second by way in (officers over HTTP, agencies' systems over Kafka) and outcome.",
            queries=[Query(or_zero(rate("tuntas_dispatch_commands_total", ("source", "outcome"))), "{{source}} {{outcome}}")],
            unit="ops",
        ),
        Panel(
            title="Refusals by code",
            description="Commands and inputs refused in the time shown; an agency's system that is wrong shows here first.",
            queries=[Query(or_zero(increase("tuntas_dispatch_refusals_total", ("code",))), "{{code}}")],
            kind="bargauge",
            decimals=0,
        ),
        Panel(
            title="Refusals withheld",
            description="Refusals over an agency's quota, a second: answered by a summary, so that a flood does not come back doubled.",
            queries=[Query(or_zero(rate("tuntas_dispatch_refusals_withheld_total")), "withheld")],
            thresholds=waits(1, 100),
            width=6,
        ),
        Panel(
            title="Inputs of reporters and of time",
            description="Inputs a second by what dispatch did: accepted, rejected, republished (triage owns the case by now), ignored.",
            queries=[Query(or_zero(rate("tuntas_dispatch_inputs_total", ("type", "outcome"))), "{{type}} {{outcome}}")],
            unit="ops",
            width=6,
        ),
        Panel(
            title="Open cases",
            description="Unfinished cases at all agencies, by state.",
            queries=[Query(or_zero(measured("tuntas_dispatch_open_cases", ("state",), inner=("agency", "state"))), "{{state}}")],
            stacked=True,
            width=6,
            link="agency",
        ),
        Panel(
            title="Agencies in the register",
            description="Agencies that the replica with fewest knows; 0 means that `load-register` never ran.",
            queries=[Query("min (tuntas_dispatch_register_agencies)")],
            kind="stat",
            width=6,
        ),
    ],
)

_SLA_MONITOR = Row(
    "SLA monitor",
    [
        Panel(
            title="Behind the clock",
            description="How far the lowest watermark is behind; deadlines are told that much later, and never falsely.",
            queries=[Query(or_zero(measured("tuntas_sla_watermark_lag_seconds")), "lag")],
            unit="s",
            thresholds=waits(60, 300),
            link="clocks",
        ),
        Panel(
            title="Due and held",
            description="Checkpoints that are due and wait for a watermark, for a late agency, or behind a dead letter of their case.",
            queries=[Query(or_zero(measured("tuntas_sla_due_held_checkpoints")), "checkpoints")],
            thresholds=waits(100, 1_000),
            link="clocks",
        ),
        Panel(
            title="Time to tell",
            description="95th percentile of the time from a checkpoint's moment to its publication, by what it was.",
            queries=[Query(or_zero(quantile(0.95, "tuntas_sla_firing_delay_seconds", ("notice",))), "{{notice}}")],
            unit="s",
            thresholds=waits(60, 900),
            link="clocks",
        ),
    ],
)

_NOTIFIER = Row(
    "Notifier",
    [
        Panel(
            title="Deliveries waiting",
            description="Notices that wait to be sent, by who is to read them.",
            queries=[Query(or_zero(measured("tuntas_notice_queue_deliveries", ("audience",))), "{{audience}}")],
            stacked=True,
        ),
        Panel(
            title="Most overdue delivery",
            description="How long the most overdue notice has been due.",
            queries=[Query(or_zero(measured("tuntas_notice_queue_age_seconds", ("audience",))), "{{audience}}")],
            unit="s",
            thresholds=waits(300, 900),
        ),
        Panel(
            title="Time to deliver",
            description="95th percentile from queueing to the relay's receipt.",
            queries=[Query(or_zero(quantile(0.95, "tuntas_notice_delay_seconds", ("audience",))), "{{audience}}")],
            unit="s",
            thresholds=waits(60, 900),
        ),
        Panel(
            title="Queued and sent",
            description="Notices an hour, queued, taken by the mail relay, and without a channel: their readers have no e-mail address.",
            queries=[
                Query(or_zero(f"{rate('tuntas_notices_queued_total')} * 3600"), "queued"),
                Query(or_zero(f"{rate('tuntas_notices_sent_total')} * 3600"), "sent"),
                Query(or_zero(f"{rate('tuntas_notices_no_channel_total')} * 3600"), "no channel"),
                Query(or_zero(f"{rate('tuntas_notices_too_old_total')} * 3600"), "event too old to tell"),
            ],
        ),
        Panel(
            title="Sent by kind",
            description="Notices that the mail relay took in the time shown, by kind.",
            queries=[Query(or_zero(increase("tuntas_notices_sent_total", ("kind",))), "{{kind}}")],
            kind="bargauge",
            decimals=0,
        ),
        Panel(
            title="Deferred and given up",
            description="Attempts that failed for now, and notices that were given up, an hour.",
            queries=[
                Query(or_zero(f"{rate('tuntas_notices_deferred_total')} * 3600"), "deferred"),
                Query(or_zero(f"{rate('tuntas_notices_failed_total')} * 3600"), "given up"),
            ],
            thresholds=waits(10, 100),
        ),
        Panel(
            title="Sending pauses",
            description="1 while nothing is sent: for want of contacts (intake does not answer) or of the mail relay.",
            queries=[Query(measured("tuntas_notice_sending_paused", ("cause",)), "{{cause}}")],
            thresholds=waits(1, 1),
        ),
        Panel(
            title="Contact look-ups failed",
            description="Look-ups that intake did not answer, an hour.",
            queries=[Query(or_zero(f"{rate('tuntas_contact_lookups_failed_total')} * 3600"), "failed")],
            thresholds=waits(1, 60),
        ),
        Panel(
            title="Perhaps sent twice",
            description="Notices sent though an earlier attempt may have arrived, or after their lease had run out, an hour.",
            queries=[
                Query(or_zero(f"{rate('tuntas_notices_possible_repeats_total')} * 3600"), "possible repeats"),
                Query(or_zero(f"{rate('tuntas_notices_lost_leases_total')} * 3600"), "leases lost"),
            ],
            thresholds=waits(10, 100),
        ),
    ],
)

_OWN = {
    Service.INTAKE: _INTAKE,
    Service.TRIAGE: _TRIAGE,
    Service.DISPATCH: _DISPATCH,
    Service.SLA_MONITOR: _SLA_MONITOR,
    Service.NOTIFIER: _NOTIFIER,
}


def _dashboard(service: Service) -> Dashboard:
    name = service.value
    return Dashboard(
        file=f"service-{name}",
        title=f"Tuntas: {name}",
        description=f"The service {name}: whether it serves, what it alone does, and what it reads and publishes.",
        rows=[health(name), _OWN[service], http(name), reading(name), writing(name)],
    )


SERVICES = [_dashboard(service) for service in Service]
