"""The five services, wired as in production and never started: nothing is connected to anything."""

from base64 import b64encode
from functools import cache
from importlib import import_module
from typing import Any

from tests.support.names import NAME_KEY
from tuntas_chassis.messaging.subscription import Subscription
from tuntas_chassis.service import ServiceApp

_SETTINGS: dict[str, Any] = {
    "environment": "test",
    "kafka": "127.0.0.1:1",
    "database_url": "postgresql://nobody:nothing@127.0.0.1:1/nowhere",
    "oidc_issuer": "http://127.0.0.1:1",
    "encryption_key": b64encode(bytes(32)).decode(),
    "access_code_pepper": "p" * 32,
    "name_keys": NAME_KEY,
    "intake_url": "http://127.0.0.1:1",
    "client_secret": "nothing",
    "smtp_host": "127.0.0.1",
}


@cache
def built(service: str) -> ServiceApp:
    """What `build` of this service's `app.py` makes."""
    package = service.replace("-", "_")
    settings = import_module(f"{package}.settings").Settings.model_validate(_SETTINGS)
    app: ServiceApp = import_module(f"{package}.app").build(settings)
    return app


def subscriptions(service: str) -> list[Subscription[Any]]:
    """What this service reads."""
    return [worker.subscription for worker in built(service).workers.values()]
