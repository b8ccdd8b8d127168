"""The wiring of the notifier."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from time import monotonic

import httpx

from notifier.adapters.contacts import IntakeContacts
from notifier.adapters.history import NoticeHistory
from notifier.adapters.queue import PostgresDeliveryQueue
from notifier.adapters.service_token import ServiceToken
from notifier.adapters.set_aside import SetAsideDeliveries
from notifier.adapters.smtp import SmtpMailer, relay_of
from notifier.adapters.store import DeliveryWriter
from notifier.adapters.templates import MailTemplates
from notifier.application.compose import Composer, TemplateRenderer
from notifier.application.delivery_events import count_from_zero
from notifier.application.sender import Sender
from notifier.application.sending_loop import SendingLoop
from notifier.entrypoints.maintenance import FORGET_EVERY_S, forget_old, measure_queue
from notifier.entrypoints.routes import routes
from notifier.entrypoints.subscriptions import cases, deadlines, own_notices, register
from notifier.metrics import METRICS
from notifier.settings import Settings
from tuntas_chassis.service import ServiceApp
from tuntas_chassis.set_aside_rows import serve_set_aside
from tuntas_contracts.vocabulary import Service


def build(settings: Settings) -> ServiceApp:
    """The notifier, ready to run."""
    app = ServiceApp(Service.NOTIFIER, settings, package="notifier", metrics=METRICS)
    http = httpx.AsyncClient(timeout=10)
    mailer = SmtpMailer(relay_of(settings))
    history = NoticeHistory(app.database)
    loop = SendingLoop(_sender(app, settings, http, mailer), app.metrics, rate=settings.mails_per_second, batch=settings.mail_batch)
    writer = DeliveryWriter(app.metrics, loop.wake)
    count_from_zero(app.metrics)

    async def send(stopping: asyncio.Event) -> None:
        try:
            await loop.run(stopping)
        finally:
            await mailer.close()
            if stopping.is_set():
                await http.aclose()

    app.subscribe(register())
    app.subscribe(own_notices())
    app.subscribe(cases(writer, settings.age_limit, app.clock, app.metrics))
    app.subscribe(deadlines(writer, settings.age_limit, app.clock, app.metrics))
    # the queue of a database that was put back may hold what was sent already, and its register a mailbox that was given up
    app.background("sending", send, after=("notices", "register"))
    app.every("queue-gauges", settings.queue_metrics_s, partial(measure_queue, history, app.metrics, _wall))
    keep = timedelta(days=settings.delivery_retention_days)
    app.every("retention", FORGET_EVERY_S, partial(forget_old, history, _wall, keep))
    app.http.include_router(routes(history))
    serve_set_aside(app, SetAsideDeliveries(app.database))
    return app


def _sender(app: ServiceApp, settings: Settings, http: httpx.AsyncClient, mailer: SmtpMailer) -> Sender:
    token = ServiceToken(http, settings.oidc_issuer, settings.client_id, settings.client_secret.get_secret_value(), monotonic)
    name, address = settings.sender
    renderer = TemplateRenderer(
        sender=address,
        sender_name=name,
        reporter_page=settings.reporter_page.rstrip("/"),
        officer_page=settings.officer_page.rstrip("/"),
        central=settings.central_mailboxes,
    )
    return Sender(
        PostgresDeliveryQueue(app.database, app.outbox, app.metrics, app.clock),
        IntakeContacts(http, settings.intake_url, token),
        Composer(renderer, MailTemplates(), app.clock, _wall),
        mailer,
        app.tracing,
        app.clock,
        _wall,
        app.metrics,
        domain=renderer.domain,
        lease=timedelta(seconds=settings.mail_lease_s),
    )


def _wall() -> datetime:
    return datetime.now(UTC)
