"""No time that contracts allow is beyond the calendar: whatever its date, a case gets its clocks and they can be published."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla_monitor.application.handlers import Handlers
from sla_monitor.domain.case_clocks import CaseClocks
from sla_monitor.domain.clocks import ClockMachine
from tests.unit.sla_monitor.builders import PLANNER, History
from tuntas_chassis.messaging.messages import Incoming, Outgoing
from tuntas_contracts.base import EARLIEST, LATEST, CaseEvent
from tuntas_contracts.cases import CaseClosed
from tuntas_contracts.envelope import Envelope
from tuntas_contracts.sla import DeadlineSet

HANDLERS = Handlers(ClockMachine(PLANNER), "test")
ZONES = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")
FIRST = EARLIEST + timedelta(minutes=1)
EXTREMES = (FIRST, EARLIEST + timedelta(hours=1), LATEST - timedelta(microseconds=1), LATEST - timedelta(days=20))


def live(at: datetime, zone: str, limit: int) -> list[Outgoing]:
    """A case whose events all happen at one moment; what is published of it."""
    history = History(time_zone=zone)
    events: list[CaseEvent] = [
        history.received(at),
        history.forwarded(at),
        history.accepted(at, limit=limit),
        history.followed_up(at),
        history.answered(at),
        history.resumed(at),
        history.answered(at),
        history.returned(at),
    ]
    state: CaseClocks | None = None
    published: list[Outgoing] = []
    for event in events:
        envelope = Envelope(event.case_id, "dispatch", type(event).__name__, str(event.case_id), at)
        outcome = HANDLERS.apply(state, Incoming(envelope, str(event.case_id), event, "cases", 0, 0, at))
        assert isinstance(outcome.state, CaseClocks)
        state = outcome.state
        published += outcome.outgoing
    return published


@given(
    at=st.sampled_from(EXTREMES) | st.timedeltas(timedelta(), LATEST - FIRST - timedelta(seconds=1)).map(lambda later: FIRST + later),
    zone=st.sampled_from(ZONES),
    limit=st.integers(1, 1_000),
)
def test_every_business_time_has_its_deadlines(at: datetime, zone: str, limit: int) -> None:
    published = live(at, zone, limit)
    assert {type(message.body) for message in published} == {DeadlineSet}
    for message in published:
        assert isinstance(message.body, DeadlineSet)
        assert message.body.due_at > at
        assert DeadlineSet.model_validate_json(message.body.model_dump_json()) == message.body


@pytest.mark.parametrize("at", EXTREMES)
def test_the_end_of_a_window_can_be_published_and_closes_the_case(at: datetime) -> None:
    due = max(message.body.due_at for message in live(at, "Asia/Jayapura", 1_000) if isinstance(message.body, DeadlineSet))
    closed = {"case_id": "0" * 32, "version": 9, "state": "closed", "owner": "dispatch", "agency": "kota-1", "reason": "no_reply"}
    assert CaseClosed.model_validate(closed | {"occurred_at": due})
