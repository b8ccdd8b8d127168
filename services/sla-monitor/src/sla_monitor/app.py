"""The wiring of the SLA monitor."""

from sla_monitor.adapters.clock_queries import ClockQueries
from sla_monitor.adapters.completions import CompletionGauges
from sla_monitor.adapters.due import DueCheckpoints
from sla_monitor.adapters.figures import FOLD_EVERY_S, FigureReader, FigureRollups
from sla_monitor.adapters.set_aside import SetAsideCheckpoints
from sla_monitor.adapters.store import ClockStore
from sla_monitor.adapters.watermark_store import WatermarkStore
from sla_monitor.application.checkpoint_scheduler import CheckpointScheduler
from sla_monitor.application.handlers import Handlers
from sla_monitor.domain.clocks import ClockMachine
from sla_monitor.domain.deadlines import DeadlinePlanner
from sla_monitor.entrypoints.backlog_gauges import BACKLOG_EVERY_S, BacklogGauges
from sla_monitor.entrypoints.routes import case_routes, public_routes
from sla_monitor.entrypoints.subscriptions import CONSUMER, cases, watermarks
from sla_monitor.metrics import METRICS
from sla_monitor.settings import Settings
from tuntas_chassis.service import ServiceApp
from tuntas_chassis.set_aside_rows import serve_set_aside
from tuntas_contracts.topology import CASES
from tuntas_contracts.vocabulary import Service
from tuntas_reference.calendar_files import load_calendar


def build(settings: Settings) -> ServiceApp:
    """The SLA monitor, ready to run."""
    app = ServiceApp(Service.SLA_MONITOR, settings, package="sla_monitor", metrics=METRICS)
    calendar = load_calendar()
    planner = DeadlinePlanner(calendar)
    aside = SetAsideCheckpoints(app.database, app.metrics)
    scheduler = CheckpointScheduler(
        DueCheckpoints(CONSUMER, CASES.name),
        aside,
        app.database,
        app.outbox,
        app.clock,
        app.metrics,
        interval_s=settings.firing_interval_s,
        batch=settings.firing_batch,
    )

    app.subscribe(cases(Handlers(ClockMachine(planner), calendar.version), ClockStore(app.metrics)))
    app.subscribe(watermarks(WatermarkStore(CONSUMER, CASES.name, scheduler.wake)))
    app.background("checkpoint-scheduler", scheduler.run)
    waiting = BacklogGauges(app.database, app.clock, app.metrics, consumer=CONSUMER, topic=CASES.name, partitions=settings.outbox_shards)
    app.every("backlog", BACKLOG_EVERY_S, waiting.measure)
    gauges = CompletionGauges(app.database, app.clock, app.metrics, settings.outbox_shards)
    app.every("gauges", settings.gauges_s, gauges.measure)
    app.every("figures", FOLD_EVERY_S, FigureRollups(app.database).fold)
    app.http.include_router(case_routes(ClockQueries(app.database), planner, app.clock))
    app.http.include_router(public_routes(FigureReader(app.database, settings.figures_cache_s), planner, app.clock))
    serve_set_aside(app, aside)
    return app
