"""The wiring of triage."""

from triage.adapters.queue import QueueReader
from triage.adapters.register import AgencyStore, RegisterCopy
from triage.adapters.store import CaseStore
from triage.adapters.upkeep import Upkeep
from triage.application.handlers import Handlers
from triage.entrypoints.routes import routes
from triage.entrypoints.subscriptions import cases, register
from triage.metrics import METRICS
from triage.settings import Settings
from tuntas_chassis.messaging.watermarks import WatermarkScope
from tuntas_chassis.service import ServiceApp
from tuntas_contracts.topology import CASES
from tuntas_contracts.vocabulary import Service


def build(settings: Settings) -> ServiceApp:
    """Triage, ready to run."""
    app = ServiceApp(Service.TRIAGE, settings, package="triage", metrics=METRICS, watermarks=WatermarkScope(CASES.name))
    copy = RegisterCopy()
    handlers = Handlers(copy, settings.fingerprint_keys())
    store = CaseStore()
    reader = QueueReader(app.database)
    upkeep = Upkeep(app.database, copy, reader, app.clock, app.metrics)

    app.on_start("register", upkeep.load_register)
    app.subscribe(register(handlers, AgencyStore(copy)))
    app.subscribe(cases(handlers, store, app.metrics, upkeep.load_register))
    app.every("register", settings.register_reload_s, upkeep.load_register)
    app.every("gauges", settings.gauges_s, upkeep.measure)
    app.http.include_router(routes(handlers, app.processor(store), reader, copy, app.metrics))
    return app
