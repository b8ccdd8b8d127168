"""The drills' counter names what is lost, doubled, out of order, early, late or falsely breached, and nothing else."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tuntas_demo.drills import counting
from tuntas_demo.drills.counting import Filed, Tables
from tuntas_demo.drills.topic_log import CASES, NOTICES, SLA, Record, agency_topic

CASE, AGENCY, OTHER = "0198c0de-0000-7000-8000-000000000001", "kota-32-73", "kemenkes"
START = datetime(2026, 3, 2, 3, tzinfo=UTC)
DUE = START + timedelta(days=3)


def record(topic: str, kind: str, number: int, at: datetime = START, **body: Any) -> Record:
    fields = {"occurred_at": at.isoformat(), **body}
    return Record(topic, 0, number, CASE, kind, f"{topic}-{number}", "dispatch", fields, int(at.timestamp() * 1000))


def business(appended_ms: int) -> datetime:
    return datetime.fromtimestamp(appended_ms / 1000, UTC)


def sound() -> list[Record]:
    """A report that was accepted and answered in time."""
    kinds = ["ReportSubmitted", "CaseForwarded", "CaseAccepted", "CaseAnswered"]
    events = [record(CASES, kind, n, START + timedelta(hours=n), version=n, agency=AGENCY) for n, kind in enumerate(kinds, 1)]
    at_agency = [record(agency_topic(AGENCY), "CaseAssigned", 1, version=2)]
    at_agency += [record(agency_topic(AGENCY), "CaseChanged", n - 1, version=n) for n in (3, 4)]
    return [*events, *at_agency]


@pytest.fixture
def filed() -> dict[str, Filed]:
    return {CASE: Filed(CASE, "ABCD", AGENCY, effects=Counter({"CaseAccepted": 1, "CaseAnswered": 1}))}


def wrong(filed: Mapping[str, Filed], records: Sequence[Record]) -> str:
    history = counting.histories(records)
    return "; ".join([*counting.wrong_in_histories(filed, history), *counting.wrong_at_agencies(filed, history, records)])


def test_a_sound_history_has_nothing_wrong_however_often_its_messages_came(filed: dict[str, Filed]) -> None:
    records = sound()
    repeated = [replace(one, offset=one.offset + 100) for one in records]
    assert wrong(filed, records) == ""
    assert wrong(filed, [*records, *repeated]) == ""


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (lambda r: [], "never published"),
        (lambda r: [r[0], *r[2:]], "not each once, in order"),
        (lambda r: [r[1], r[0], *r[2:]], "not each once, in order"),
        (lambda r: [*r, replace(r[2], id="again", body={**r[2].body, "version": 5})], "was commanded"),
        (lambda r: [*r, replace(r[2], id="again")], "not each once, in order"),
        (lambda r: r[:4], "never reached"),
        (lambda r: [*r[:4], r[6], r[4], r[5]], "in the versions"),
        (lambda r: [*r[:4], r[5]], "first"),
        (lambda r: [*r, replace(r[4], topic=agency_topic(OTHER), id="other")], "which never had it"),
        (lambda r: [*r, replace(r[0], key="somebody", id="else")], "no report of it was filed"),
    ],
    ids=[
        "lost",
        "gap",
        "out of order",
        "doubled",
        "same version twice",
        "undelivered",
        "out of order at its agency",
        "not assigned",
        "elsewhere",
        "made up",
    ],
)
def test_what_is_lost_doubled_or_out_of_order_is_named(filed: dict[str, Filed], change: Any, finding: str) -> None:
    assert finding in wrong(filed, change(sound()))


def deadlines(records: Sequence[Record], now: datetime) -> str:
    return "; ".join(counting.wrong_in_deadlines(counting.histories(records), records, now, business))


def clock(kind: str, number: int, at: datetime, **body: Any) -> Record:
    return record(SLA, kind, number, at, clock="C2", deadline_version=1, due_at=DUE.isoformat(), **body)


def test_a_deadline_that_was_met_is_quiet_and_one_that_was_not_is_missed_once_and_not_early() -> None:
    met, late = sound(), [one for one in sound() if one.body.get("version", 0) < 3]
    running, miss = clock("DeadlineSet", 1, START), clock("DeadlineMissed", 2, DUE + timedelta(seconds=2))
    after = DUE + timedelta(minutes=10)
    assert deadlines([*met, running], after) == ""
    assert deadlines([*late, running, miss], after) == ""
    assert deadlines([*late, running], DUE - timedelta(hours=1)) == ""
    assert "its miss was not published" in deadlines([*late, running], after)
    assert "a false breach" in deadlines([*met, running, miss], after)
    assert "in two messages" in deadlines([*late, running, miss, replace(miss, id="again")], after)
    assert "was published at" in deadlines([*late, running, clock("DeadlineMissed", 2, DUE - timedelta(seconds=30))], after)


def test_mails_come_once_or_twice_where_that_was_marked_and_each_reporter_has_one(filed: dict[str, Filed]) -> None:
    mail = {"message_id": "<1@x>", "subject": "Laporan ABCD telah kami terima"}
    sent = record(NOTICES, "NoticeSent", 1, message_id="<1@x>", possible_repeat=True)
    assert counting.wrong_in_mails(filed, [mail], []) == []
    assert counting.wrong_in_mails(filed, [mail, mail], [sent]) == []
    assert "not marked as a possible repeat" in counting.wrong_in_mails(filed, [mail, mail], [])[0]
    assert "came 3 times" in counting.wrong_in_mails(filed, [mail] * 3, [sent])[0]
    assert "never mailed" in counting.wrong_in_mails(filed, [], [])[0]


def test_the_tables_hold_each_report_once_with_one_owner_and_the_version_of_the_topic(filed: dict[str, Filed]) -> None:
    tables = Tables(
        reports=[CASE],
        shown={CASE: [2, 3, 4]},
        triage={CASE: (2, "dispatch")},
        dispatch={CASE: (4, "dispatch")},
        clocks={CASE: 4},
        set_aside={"triage": 0},
        unsent={"triage": 0},
    )
    history = counting.histories(sound())

    def found(**changed: Any) -> str:
        return "; ".join(counting.wrong_in_tables(filed, history, replace(tables, **changed)))

    assert found() == ""
    assert "0 rows" in found(reports=[])
    assert "2 rows" in found(reports=[CASE, CASE])
    assert "was never filed" in found(reports=[CASE, "else"])
    assert "shows the versions [2, 4]" in found(shown={CASE: [2, 4]})
    assert "owned by no service" in found(dispatch={})
    assert "owned by triage and dispatch" in found(triage={CASE: (4, "triage")})
    assert "dispatch has version 3" in found(dispatch={CASE: (3, "dispatch")})
    assert "sla-monitor has version 3" in found(clocks={CASE: 3})
    assert "set aside" in found(set_aside={"triage": 1})
    assert "unsent" in found(unsent={"triage": 2})
