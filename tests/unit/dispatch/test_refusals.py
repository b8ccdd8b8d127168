"""How an agency learns of refusals, and of how many."""

from uuid import UUID, uuid4

import pytest
from aiokafka import ConsumerRecord

from dispatch.domain.refusal_quota import RefusalQuota
from tests.unit.dispatch.builders import BEKASI, BOGOR, NOON, a_case
from tests.unit.dispatch.delivery import incoming, make_handlers
from tuntas_chassis.messaging.decoding import Undecodable, UnknownType
from tuntas_chassis.messaging.subscription import Record
from tuntas_contracts.agencies import ActionRefused, RecordFollowUp
from tuntas_contracts.topology import AGENCY_ACTIONS, AGENCY_CASES

ACTIONS = AGENCY_ACTIONS.for_agency(BOGOR)


def a_record(key: bytes | None = None, headers: tuple[tuple[str, bytes], ...] = (), offset: int = 41) -> Record:
    return ConsumerRecord(
        topic=ACTIONS,
        partition=0,
        offset=offset,
        timestamp=1_741_000_000_000,
        timestamp_type=1,
        key=key,
        value=b"{",
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=1,
        headers=headers,
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Undecodable("not a valid AcceptCase: unit: Field required"), "invalid_message"),
        (UnknownType("type 'Foo' is not taken here"), "unknown_type"),
        (KeyError("a fault of ours"), "internal_error"),
    ],
)
def test_what_cannot_be_read_is_answered_with_its_place(error: Exception, code: str) -> None:
    _, refusals, _ = make_handlers()
    case_id, command_id = uuid4(), uuid4()
    answer = refusals.of_record(a_record(str(case_id).encode(), (("ce_id", str(command_id).encode()),)), error)
    assert answer is not None
    body = answer.body
    assert isinstance(body, ActionRefused)
    assert answer.topic == AGENCY_CASES.for_agency(BOGOR)
    assert (body.code, body.case_id, body.command_id) == (code, case_id, command_id)
    assert body.position == f"{ACTIONS}/0/41"


def test_a_reason_that_repeats_control_characters_is_sent_without_them() -> None:
    _, refusals, _ = make_handlers()
    answer = refusals.of_record(a_record(), Undecodable("case_id: invalid character: found `\x00`, then \x1b[31m"))
    assert answer is not None
    assert isinstance(answer.body, ActionRefused)
    assert answer.body.detail == "case_id: invalid character: found `\ufffd`, then \ufffd[31m"


@pytest.mark.parametrize("key", [None, b"", b"\xff\xfe", b"not-a-case"])
def test_a_record_without_key_or_id_is_answered_the_same_way_each_time(key: bytes | None) -> None:
    _, refusals, _ = make_handlers()
    first, again = (refusals.of_record(a_record(key, (("ce_id", b"\xff"),)), Undecodable("no")) for _ in range(2))
    other = refusals.of_record(a_record(key, offset=42), Undecodable("no"))
    assert first is not None
    assert again is not None
    assert other is not None
    assert first.id == again.id != other.id
    assert first.id is not None
    assert first.id.version == 7
    assert first.key == BOGOR


def test_another_agencys_case_is_refused_like_one_that_does_not_exist() -> None:
    handlers, _, metrics = make_handlers()
    case = a_case()
    command = RecordFollowUp(case_id=case.case_id, note="x")
    answers = []
    for known in (case, None):
        message = incoming(command, AGENCY_ACTIONS.for_agency(BEKASI), NOON, UUID(int=5))
        outcome = handlers.on_action(known, message)
        assert outcome.state is None
        answers.append(outcome.outgoing)
    assert answers[0] == answers[1]
    assert answers[0][0].topic == AGENCY_CASES.for_agency(BEKASI)
    assert metrics.value("tuntas_dispatch_commands_total", "topic", "RecordFollowUp", "rejected") == 2


def test_over_the_quota_one_summary_answers_the_rest_of_the_minute() -> None:
    now = [30.0]
    quota = RefusalQuota(2, lambda: now[0])
    assert [quota.admit(BOGOR, "unknown_case", f"p{n}") for n in range(5)] == [True, True, False, False, False]
    assert quota.admit(BEKASI, "unknown_case", "q"), "another agency has its own quota"
    assert quota.overflows() == [], "the minute is not over"
    now[0] = 61.0
    (overflow,) = quota.overflows()
    assert (overflow.agency, overflow.count, overflow.first_position) == (BOGOR, 3, "p2")
    assert "3 further commands" in overflow.summary()
    assert quota.overflows() == []
    assert quota.admit(BOGOR, "unknown_case", "p9"), "a new minute"


def test_a_new_minutes_refusal_does_not_lose_the_last_ones_count() -> None:
    now = [0.0]
    quota = RefusalQuota(1, lambda: now[0])
    for _ in range(3):
        quota.admit(BOGOR, "not_in_state", "p")
    now[0] = 60.0
    quota.admit(BOGOR, "not_in_state", "p")
    assert [overflow.count for overflow in quota.overflows()] == [2]


def test_refusals_over_the_quota_are_counted_and_not_answered() -> None:
    _, refusals, metrics = make_handlers(refusals_per_minute=3)
    answers = [refusals.of_record(a_record(offset=n), Undecodable("no")) for n in range(10)]
    assert sum(answer is not None for answer in answers) == 3
    assert metrics.value("tuntas_dispatch_refusals_total", "invalid_message") == 10
    assert metrics.value("tuntas_dispatch_refusals_withheld_total") == 7
