"""The counting service as a process of its own: `python -m tests.support.counting`."""

from tests.support.counting import Added, Asked, TallyStore, apply_to
from tuntas_chassis.messaging.subscription import Subscription
from tuntas_chassis.service import ServiceApp
from tuntas_chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """Which topic it reads, and to which it publishes the sums."""

    inputs: str
    outputs: str


def build(settings: Settings) -> ServiceApp:
    """The counting service, ready to run."""
    app = ServiceApp("counting", settings, package="tests.support.counting")
    app.subscribe(
        Subscription(name="in", topics=[settings.inputs], types=[Added, Asked], store=TallyStore(), apply=apply_to(settings.outputs))
    )
    return app
