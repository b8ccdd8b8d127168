"""The wiring of intake."""

from intake.adapters.inputs import InputFile
from intake.adapters.maintenance import Maintenance
from intake.adapters.personal_data import PersonalData
from intake.adapters.reports import ReportWriter
from intake.adapters.reports_on_file import Reports
from intake.adapters.store import CaseHistory
from intake.adapters.undecided import UndecidedReports
from intake.application.access_codes import AccessCodeVerifier
from intake.application.disclosure import Disclosures
from intake.application.handlers import Submissions
from intake.application.reporter_inputs import ReporterInputs
from intake.application.status import StatusReader
from intake.entrypoints.problems import install_problems
from intake.entrypoints.routes import routes, submission_route
from intake.entrypoints.subscriptions import status
from intake.metrics import METRICS
from intake.settings import Settings
from tuntas_chassis.http.client_address import ClientAddresses, networks
from tuntas_chassis.http.group_commit import GroupCommit
from tuntas_chassis.messaging.watermarks import WatermarkScope
from tuntas_chassis.service import ServiceApp
from tuntas_contracts.topology import CASES
from tuntas_contracts.vocabulary import Service
from tuntas_reference.calendar_files import load_calendar

_PURGE_EVERY_S = 600.0
_MEASURE_EVERY_S = 15.0


def build(settings: Settings) -> ServiceApp:
    """Intake, ready to run."""
    app = ServiceApp(Service.INTAKE, settings, package="intake", metrics=METRICS, watermarks=WatermarkScope(CASES.name))
    vault, pepper = settings.vault(), settings.pepper
    reports, history, personal_data = Reports(), CaseHistory(), PersonalData(vault)
    gate = AccessCodeVerifier(reports, app.database, pepper, app.metrics)
    group = GroupCommit(
        app.database.begin_now, app.outbox, app.clock, ReportWriter(app.outbox).write, size_of=lambda report: report.size_bytes
    )

    app.subscribe(status())
    app.every("purge", _PURGE_EVERY_S, Maintenance(app.database, settings.access_log_retention_days).purge)
    app.every("gauges", _MEASURE_EVERY_S, UndecidedReports(app.database, app.metrics).measure)
    submissions = Submissions(vault, pepper, settings.profile, app.clock, group, app.metrics, settings.fingerprint_keys())
    install_problems(app.http)
    app.http.router.routes.append(submission_route(submissions, settings.public_url))
    app.http.include_router(
        routes(
            StatusReader(gate, history, app.database, load_calendar()),
            ReporterInputs(gate, InputFile(), history, personal_data, app.database, app.outbox, app.clock, pepper, app.metrics),
            Disclosures(reports, history, personal_data, app.database, app.outbox, app.clock, pepper, app.metrics),
            ClientAddresses(networks(settings.trusted_proxies)),
        )
    )
    return app
