"""The counter: compares what clients were promised with topics, mails and databases. Pure; each function names what is wrong."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tuntas_demo.drills.topic_log import AGENCY_CASES, CASES, NOTICES, SLA, Record, of_type

_ENDS = {
    "C1": ("CaseForwarded", "CaseArchived"),
    "C2": ("CaseAccepted", "HandlingStarted", "CaseReturned", "CaseArchived"),
    "C3": ("HandlingStarted", "FollowUpRecorded", "CaseAnswered", "CaseReturned"),
    "C4": ("CaseAnswered", "CaseReturned"),
}
"""What ends a clock before it runs out, for the clocks whose misses are counted."""
_COMMANDED = ("CaseAccepted", "HandlingStarted", "CaseReturned", "FollowUpRecorded", "CaseAnswered")
_LATE_AFTER_S = 120.0
_EARLY_BY_S = 1.0


@dataclass(slots=True)
class Filed:
    """A report as its client knows it: what the receipt said, and what was acknowledged afterwards, by the event it must lead to.

    `uncertain` are those for which commands were given that may be accepted or refused.
    """

    case_id: str
    tracking_id: str
    agency: str | None
    mailed: bool = True
    uncertain: bool = False
    effects: Counter[str] = field(default_factory=Counter)


def histories(records: Iterable[Record]) -> dict[str, list[Record]]:
    """The events of each case on the cases topic, in order; repeats of the same message are left out."""
    found: dict[str, list[Record]] = defaultdict(list)
    seen: set[str] = set()
    for record in records:
        if record.topic == CASES and "version" in record.body and record.id not in seen:
            seen.add(record.id)
            found[record.key].append(record)
    return found


def wrong_in_histories(filed: Mapping[str, Filed], history: Mapping[str, Sequence[Record]]) -> list[str]:
    """Each accepted report once on the topic, versions 1, 2, 3 … in order without a gap; each command with one effect, none besides."""
    wrong = [f"case {case_id} is on the topic, but no report of it was filed" for case_id in history.keys() - filed.keys()]
    for case_id, report in filed.items():
        versions = [record.body["version"] for record in history.get(case_id, ())]
        if not versions:
            wrong.append(f"case {case_id} was accepted and never published")
        elif versions != list(range(1, len(versions) + 1)):
            wrong.append(f"the versions of case {case_id} are {versions}: not each once, in order")
        types = Counter(record.type for record in history.get(case_id, ()))
        seen = {kind: types[kind] for kind in _COMMANDED if types[kind]}
        if seen != dict(report.effects) and not report.uncertain:
            wrong.append(f"case {case_id} was commanded {dict(report.effects)}, and the topic has {seen}")
    return wrong


def wrong_at_agencies(
    filed: Mapping[str, Filed], history: Mapping[str, Sequence[Record]], records: Iterable[Record], lost: Iterable[str] = ()
) -> list[str]:
    """Each case on its agency's topic, assigned first, in the order of its versions, and on no other agency's.

    `lost` are agencies whose topic was deleted: its records are gone.
    """
    wrong: list[str] = []
    at_agency: dict[str, dict[str, dict[str, Record]]] = defaultdict(lambda: defaultdict(dict))
    for record in records:
        if record.topic.startswith(AGENCY_CASES) and record.type in ("CaseAssigned", "CaseChanged"):
            at_agency[record.key][record.topic.removeprefix(AGENCY_CASES).removesuffix(".v1")].setdefault(record.id, record)
    for case_id, report in filed.items():
        forwarded = {str(record.body.get("agency")) for record in history.get(case_id, ()) if record.type == "CaseForwarded"}
        wrong += [f"case {case_id} was published to {agency}, which never had it" for agency in at_agency[case_id].keys() - forwarded]
        for agency in forwarded:
            messages = list(at_agency[case_id][agency].values())
            versions = [record.body["version"] for record in messages]
            if agency in lost:
                continue
            if not messages:
                wrong.append(f"case {case_id} of {report.agency} never reached {agency}")
            elif versions != sorted(set(versions)):
                wrong.append(f"case {case_id} was published to {agency} in the versions {versions}")
            elif messages[0].type != "CaseAssigned":
                wrong.append(f"case {case_id} was published to {agency} as {messages[0].type} first")
    return wrong


def wrong_in_deadlines(
    history: Mapping[str, Sequence[Record]], records: Sequence[Record], now: datetime, business: Callable[[int], datetime]
) -> list[str]:
    """Each deadline missed at most once, not early, never where it was met in time, and each that is past and was not met.

    `business(ms)` is the business time at which a record was appended.
    """
    wrong: list[str] = []
    due: dict[tuple[str, str, int], datetime] = {}
    missed: dict[tuple[str, str, int], Record] = {}
    warned: dict[tuple[str, str, int, str], str] = {}
    for record in records:
        if record.topic != SLA:
            continue
        run = (record.key, str(record.body["clock"]), int(record.body["deadline_version"]))
        if record.type == "DeadlineSet":
            due[run] = datetime.fromisoformat(record.body["due_at"])
        elif record.type == "DeadlineMissed":
            if missed.setdefault(run, record).id != record.id:
                wrong.append(f"the miss of {run} was published in two messages")
            at, limit = business(record.appended_ms), datetime.fromisoformat(record.body["due_at"])
            if (limit - at).total_seconds() > _EARLY_BY_S:
                wrong.append(f"the miss of {run}, due at {limit}, was published at {at}")
        elif record.type == "DeadlineWarning" and warned.setdefault((*run, str(record.body["level"])), record.id) != record.id:
            wrong.append(f"the warning {record.body['level']} of {run} was published in two messages")
    wrong += [f"a false breach: {run} was met before {due[run]}" for run in missed.keys() & due.keys() if _met(run, due[run], history)]
    return [*wrong, *unpublished_misses(history, records, now)]


def unpublished_misses(history: Mapping[str, Sequence[Record]], records: Sequence[Record], now: datetime) -> list[str]:
    """Each deadline that ran out a while ago, was not met, and whose miss was not published."""
    sla = [(record, (record.key, str(record.body["clock"]), int(record.body["deadline_version"]))) for record in of_type(records, SLA)]
    due = {run: datetime.fromisoformat(record.body["due_at"]) for record, run in sla if record.type == "DeadlineSet"}
    missed = {run for record, run in sla if record.type == "DeadlineMissed"}
    return [
        f"{run} ran out at {limit}, and its miss was not published"
        for run, limit in due.items()
        if run[1] in _ENDS and run not in missed and (now - limit).total_seconds() > _LATE_AFTER_S and not _met(run, limit, history)
    ]


def _met(run: tuple[str, str, int], limit: datetime, history: Mapping[str, Sequence[Record]]) -> bool:
    """Whether it was met in time, as far as that clock's misses are counted."""
    case_id, clock, number = run
    if clock not in _ENDS:
        return False
    ends = [datetime.fromisoformat(record.body["occurred_at"]) for record in history.get(case_id, ()) if record.type in _ENDS[clock]]
    return len([end for end in ends if end <= limit]) >= number


def wrong_in_mails(filed: Mapping[str, Filed], mails: Iterable[Mapping[str, str]], records: Iterable[Record]) -> list[str]:
    """Each reporter has the receipt; no mail came more than twice, and each that came twice is marked as a possible repeat."""
    times = Counter(mail["message_id"] for mail in mails)
    subjects = {mail["subject"] for mail in mails}
    repeats = {
        str(r.body["message_id"]) for r in records if r.topic == NOTICES and r.type == "NoticeSent" and r.body.get("possible_repeat")
    }
    wrong = [f"mail {message_id} came {count} times" for message_id, count in times.items() if count > 2]
    wrong += [
        f"mail {one} came twice, not marked as a possible repeat" for one, count in times.items() if count == 2 and one not in repeats
    ]
    wrong += [
        f"the reporter of {report.tracking_id} was never mailed the receipt"
        for report in filed.values()
        if report.mailed and f"Laporan {report.tracking_id} telah kami terima" not in subjects
    ]
    return wrong


@dataclass(frozen=True, slots=True)
class Tables:
    """What the five databases hold, by plain SQL. Each mapping is by case id."""

    reports: Sequence[str]
    shown: Mapping[str, Sequence[int]]
    triage: Mapping[str, tuple[int, str]]
    dispatch: Mapping[str, tuple[int, str]]
    clocks: Mapping[str, int]
    set_aside: Mapping[str, int]
    unsent: Mapping[str, int]


def wrong_in_tables(filed: Mapping[str, Filed], history: Mapping[str, Sequence[Record]], tables: Tables) -> list[str]:
    """Each report once with intake, its whole history shown, one owner, nothing unsent, nothing set aside."""
    wrong = [f"{count} messages are set aside at {service}" for service, count in tables.set_aside.items() if count]
    wrong += [f"{count} messages of {service} are unsent" for service, count in tables.unsent.items() if count]
    times = Counter(tables.reports)
    wrong += [f"intake has {times[case_id]} rows of report {case_id}" for case_id in filed if times[case_id] != 1]
    wrong += [f"intake has report {case_id}, which was never filed" for case_id in times.keys() - filed.keys()]
    for case_id in filed:
        last = max((int(record.body["version"]) for record in history.get(case_id, ())), default=0)
        # the first version is the report itself
        if list(tables.shown.get(case_id, ())) != list(range(2, last + 1)):
            wrong.append(f"intake shows the versions {list(tables.shown.get(case_id, ()))} of case {case_id}, and the topic has {last}")
        owners = [
            service
            for service, rows in (("triage", tables.triage), ("dispatch", tables.dispatch))
            if case_id in rows and rows[case_id][1] == service
        ]
        if len(owners) != 1:
            wrong.append(f"case {case_id} is owned by {' and '.join(owners) or 'no service'}")
        elif (kept := {"triage": tables.triage, "dispatch": tables.dispatch}[owners[0]][case_id][0]) != last:
            wrong.append(f"{owners[0]} has version {kept} of case {case_id}, and the topic {last}")
        if tables.clocks.get(case_id, 0) != last:
            wrong.append(f"sla-monitor has version {tables.clocks.get(case_id, 0)} of case {case_id}, and the topic {last}")
    return wrong
