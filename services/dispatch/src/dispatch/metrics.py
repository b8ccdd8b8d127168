"""Dispatch's own metrics; the chassis has those of delivery and HTTP."""

from tuntas_chassis.telemetry.metrics import Metric

METRICS: tuple[Metric, ...] = (
    Metric(
        "tuntas_dispatch_transitions_total",
        "counter",
        "Transitions of the domain's table that dispatch made",
        ("transition",),
        "transitions",
        "product",
    ),
    Metric(
        "tuntas_dispatch_commands_total",
        "counter",
        "Officers' and agency systems' commands, by way in and outcome (accepted, rejected)",
        ("source", "command", "outcome"),
        "commands",
        "product",
    ),
    Metric("tuntas_dispatch_refusals_total", "counter", "Commands and inputs refused, by code", ("code",), "refusals", "product"),
    Metric(
        "tuntas_dispatch_refusals_withheld_total",
        "counter",
        "Refusals over an agency's quota, answered only by a summary",
        (),
        "refusals",
    ),
    Metric(
        "tuntas_dispatch_inputs_total",
        "counter",
        "Reporters' and time's inputs, by outcome (accepted, rejected, held, republished, ignored)",
        ("type", "outcome"),
        "inputs",
        "product",
    ),
    Metric(
        "tuntas_dispatch_open_cases",
        "gauge",
        "Unfinished cases at each agency, by state",
        ("agency", "state"),
        "cases",
        "national administrators",
    ),
    Metric("tuntas_dispatch_register_agencies", "gauge", "Agencies in the register as this process sees it", (), "agencies"),
)
