"""What can be chosen about a demo, and how the stack is set for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from tuntas_contracts.vocabulary import Service
from tuntas_devstack.options import StackOptions
from tuntas_operations.errors import StackError

FIRST_DAY = date(2026, 7, 30)
"""A Thursday: reports arrive over a weekend, and 17 and 25 August are holidays."""
DAYS = 20
REPORTS = 2_000
SUBMISSION_DAYS = 5

_MOST_REPORTS = 50_000
_MOST_DAYS = 250
_EVERY_SERVICE = {
    # Deadlines are published once every relay has marked that it has sent what came before them: it does so after every step of
    # the clock, which is far longer than this.
    "TUNTAS_WATERMARK_INTERVAL_S": "600",
    "TUNTAS_OUTBOX_POLL_S": "0.15",
    "TUNTAS_BATCH_LINGER_MS": "50",
    "TUNTAS_OUTBOX_LINGER_MS": "20",
}
_OF_ONE_SERVICE: Mapping[Service, Mapping[str, str]] = {
    Service.DISPATCH: {"TUNTAS_ACTIONS_FETCH_WAIT_MS": "150", "TUNTAS_ACTIONS_FETCH_MIN_BYTES": "65536"},
    Service.SLA_MONITOR: {"TUNTAS_FIRING_INTERVAL_S": "0.1", "TUNTAS_FIGURES_CACHE_S": "0"},
    Service.NOTIFIER: {"TUNTAS_MAILS_PER_SECOND": "5000", "TUNTAS_MAIL_BATCH": "250"},
}


class DemoFailed(StackError):
    """The demo could not be played to its end; the message says what stalled or failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """`reports` arrive over the first five days; `days` are simulated working days; the same `seed` plays the same play.

    Raises:
        DemoFailed: a number is out of range.
    """

    reports: int = REPORTS
    days: int = DAYS
    seed: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.reports <= _MOST_REPORTS:
            raise DemoFailed(f"--reports {self.reports} is not between 1 and {_MOST_REPORTS:,}")
        if not 1 <= self.days <= _MOST_DAYS:
            raise DemoFailed(f"--days {self.days} is not between 1 and {_MOST_DAYS}")


def stack_options(agencies: Sequence[str] | None = None) -> StackOptions:
    """The stack of a demo: always on servers of its own, so that no other data are mixed with its reports."""
    return StackOptions(
        agencies=agencies,
        simulated_clock=True,
        trace_ratio=0.02,
        environment={service: {**_EVERY_SERVICE, **_OF_ONE_SERVICE.get(service, {})} for service in Service},
        kafka=None,
        database=None,
    )
