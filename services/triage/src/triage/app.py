"""The wiring of triage."""

from triage.adapters.maintenance import Maintenance
from triage.adapters.queue import QueueReader
from triage.adapters.register import AgencyStore, RegisterCopy
from triage.adapters.store import CaseStore
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
    maintenance = Maintenance(app.database, copy, reader, app.clock, app.metrics)

    app.on_start("register", maintenance.load_register)
    app.subscribe(register(handlers, AgencyStore(copy)))
    app.subscribe(cases(handlers, store, app.metrics, maintenance.load_register))
    app.every("register", settings.register_reload_s, maintenance.load_register)
    app.every("gauges", settings.gauges_s, maintenance.measure)
    app.http.include_router(routes(handlers, app.executor(store), reader, copy, app.metrics))
    return app
