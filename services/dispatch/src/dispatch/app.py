"""The wiring of dispatch."""

from time import monotonic

from dispatch.adapters.case_queries import CaseQueries
from dispatch.adapters.open_cases import OpenCases
from dispatch.adapters.refusal_summaries import LOOK_EVERY_S, RefusalSummaries
from dispatch.adapters.register_snapshot import RegisterSnapshot
from dispatch.adapters.register_store import PublishedRegister, lock_register, write_changes
from dispatch.adapters.store import CaseStore
from dispatch.application.handlers import Handlers
from dispatch.application.refusals import Refusals
from dispatch.application.register_changes import RegisterChanges
from dispatch.domain.refusal_quota import RefusalQuota
from dispatch.entrypoints.register_routes import register_change_routes, register_routes
from dispatch.entrypoints.routes import routes
from dispatch.entrypoints.subscriptions import register as published_register
from dispatch.entrypoints.subscriptions import subscriptions
from dispatch.metrics import METRICS
from dispatch.settings import Settings
from tuntas_chassis.messaging.watermarks import WatermarkScope
from tuntas_chassis.service import ServiceApp
from tuntas_contracts.topology import CASES
from tuntas_contracts.vocabulary import Service


def build(settings: Settings) -> ServiceApp:
    """Dispatch, ready to run."""
    app = ServiceApp(Service.DISPATCH, settings, package="dispatch", metrics=METRICS, watermarks=WatermarkScope(CASES.name))
    register = RegisterSnapshot(app.database, app.metrics, settings.register_refresh_s)
    refusals = Refusals(RefusalQuota(settings.refusals_per_minute, monotonic), app.clock, app.metrics)
    handlers = Handlers(register, refusals, app.metrics, settings.fingerprint_keys())
    store = CaseStore()

    app.on_start("register", register.refresh)
    app.subscribe(published_register(PublishedRegister()))
    for subscription in subscriptions(store, handlers, refusals, settings, register.refresh):
        app.subscribe(subscription)
    app.every("register", settings.register_refresh_s, register.refresh)
    app.every("gauges", settings.gauges_s, OpenCases(app.database, app.metrics).measure)
    app.every("refusal-summaries", LOOK_EVERY_S, RefusalSummaries(refusals, app.database, app.outbox, app.clock).send)
    app.http.include_router(routes(handlers, app.executor(store), CaseQueries(app.database)))
    app.http.include_router(register_routes(app.database))
    changes = RegisterChanges(app.database, app.outbox, app.clock, lock_register, write_changes, register, app.caught_up)
    app.http.include_router(register_change_routes(app.database, changes))
    return app
