"""The one list of topics: what passes, who writes, who reads, how long it is kept.

Manifests, AsyncAPI documents, JSON Schemas and the README's diagram are generated from here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import ModuleType

from tuntas_contracts import agencies, cases, notices, sla, watermarks
from tuntas_contracts.base import Contract
from tuntas_contracts.lifecycle import asked_by, events_of
from tuntas_contracts.vocabulary import Role, Service

AGENCY = "agency"  # stands in a producer or reader list for the one agency whose topic it is
FOREVER = -1
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Publication:
    """Messages that one producer writes to a topic."""

    producer: str
    messages: tuple[type[Contract], ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic, or with `{agency}` in its name a family of topics, one per agency.

    `key` says what the record key is; `readers` who may read and the messages each acts upon; `retention_ms` -1 is for ever.
    """

    name: str
    purpose: str
    key: str
    publications: tuple[Publication, ...]
    readers: dict[str, tuple[type[Contract], ...]]
    partitions: int
    retention_ms: int = FOREVER
    compacted: bool = False
    append_time: bool = False
    segment_days: float = 90
    """How old a segment becomes before a new one begins, unless it is full first: a broker maps two files for each that it keeps."""
    stored_uncompressed: bool = False
    """Whether the broker decompresses what it is sent: what it can't read, or what inflates beyond the limit, goes back to its sender."""
    max_message_bytes: int = 1_048_576

    @property
    def per_agency(self) -> bool:
        """Whether this stands for one topic per agency."""
        return "{agency}" in self.name

    def for_agency(self, code: str) -> str:
        """The topic's name for one agency."""
        return self.name.format(agency=code)

    @property
    def pattern(self) -> str:
        """A regular expression that finds every topic of the family."""
        return "^" + self.name.replace(".", r"\.").format(agency="[a-z0-9-]+") + "$"

    def includes(self, topic: str) -> bool:
        """Whether this is the topic's name, or that of one of its family."""
        head, _, tail = self.name.partition("{agency}")
        return topic.startswith(head) and topic.endswith(tail) if self.per_agency else topic == self.name

    def agency_of(self, topic: str) -> str:
        """The agency whose topic this is: the part of the name that stands for `{agency}`."""
        head, tail = self.name.split("{agency}")
        return topic[len(head) : len(topic) - len(tail)]

    @property
    def config(self) -> dict[str, str]:
        """Kafka's topic settings."""
        return {
            "cleanup.policy": "compact" if self.compacted else "delete",
            "retention.ms": str(self.retention_ms),
            "message.timestamp.type": "LogAppendTime" if self.append_time else "CreateTime",
            "max.message.bytes": str(self.max_message_bytes),
            "compression.type": "uncompressed" if self.stored_uncompressed else "producer",
            "segment.ms": str(int(self.segment_days * DAY_MS)),
        }

    def messages(self) -> tuple[type[Contract], ...]:
        """Every message type that may stand on the topic, in order of first mention."""
        return tuple(dict.fromkeys(m for p in self.publications for m in p.messages))


Messages = tuple[type[Contract], ...]


def _named(module: ModuleType, names: Iterable[str]) -> Messages:
    """The messages of a module by their names in the table of transitions."""
    return tuple(getattr(module, name) for name in names)


REPORTER_INPUTS: Messages = (cases.ReporterReplied, cases.ReporterConfirmed)
TRIAGE_EVENTS: Messages = (*_named(cases, events_of(Service.TRIAGE)), cases.InputRefused)
DISPATCH_EVENTS: Messages = (*_named(cases, events_of(Service.DISPATCH)), cases.InputRefused)
AFTER_SUBMISSION: Messages = tuple(dict.fromkeys((*TRIAGE_EVENTS, *DISPATCH_EVENTS)))
OWNER_EVENTS: Messages = (cases.ReportSubmitted, *AFTER_SUBMISSION)
NOTICE_EVENTS: Messages = (notices.NoticeSent, notices.NoticeFailed, notices.NoticeNotSent)
INPUTS: Messages = (*REPORTER_INPUTS, cases.WindowElapsed)

CASES = Topic(
    name="tuntas.cases.v1",
    purpose="The whole history of every case, in order",
    key="case id",
    publications=(
        Publication(Service.INTAKE, (cases.ReportSubmitted, *REPORTER_INPUTS, cases.ReporterErased)),
        # a reporter's erasure: repeated behind a hand-over that it met on the way
        Publication(Service.TRIAGE, (*TRIAGE_EVENTS, *INPUTS, cases.ReporterErased)),
        Publication(Service.DISPATCH, (*DISPATCH_EVENTS, *INPUTS)),
        Publication(Service.SLA_MONITOR, (cases.WindowElapsed,)),
    ),
    readers={
        Service.INTAKE: (*OWNER_EVENTS, cases.ReporterErased),
        Service.TRIAGE: (
            cases.ReportSubmitted,
            *TRIAGE_EVENTS,
            cases.CaseReturned,
            cases.CaseResumed,
            cases.CaseClosed,
            *INPUTS,
            cases.ReporterErased,
        ),
        Service.DISPATCH: (cases.CaseForwarded, *DISPATCH_EVENTS, *INPUTS, cases.ReporterErased),
        Service.SLA_MONITOR: (*AFTER_SUBMISSION, *REPORTER_INPUTS),
        Service.NOTIFIER: OWNER_EVENTS,
    },
    partitions=24,
)
SLA = Topic(
    name="tuntas.sla.v1",
    purpose="Deadlines set, warned of, missed",
    key="case id",
    publications=(Publication(Service.SLA_MONITOR, (sla.DeadlineSet, sla.DeadlineWarning, sla.DeadlineMissed)),),
    readers={Service.NOTIFIER: (sla.DeadlineWarning, sla.DeadlineMissed)},
    partitions=24,
    retention_ms=400 * DAY_MS,
)
NOTICES = Topic(
    name="tuntas.notices.v1",
    purpose="What was sent to whom, with no address",
    key="case id",
    publications=(Publication(Service.NOTIFIER, NOTICE_EVENTS),),
    readers={Service.NOTIFIER: NOTICE_EVENTS},
    partitions=24,
    retention_ms=400 * DAY_MS,
)
AGENCIES = Topic(
    name="tuntas.agencies.v1",
    purpose="The agency register as it stands",
    key="agency code",
    publications=(Publication(Service.DISPATCH, (agencies.AgencyRegistered,)),),
    # dispatch: what a database that was put back to a backup has lost of it
    readers=dict.fromkeys((Service.TRIAGE, Service.DISPATCH, Service.NOTIFIER), (agencies.AgencyRegistered,)),
    partitions=1,
    compacted=True,
    segment_days=7,  # what is in the segment that is written to is not compacted
)
AGENCY_CASES = Topic(
    name="tuntas.agency-cases.{agency}.v1",
    purpose="One agency's cases, and what was refused to it",
    key="case id",
    publications=(Publication(Service.DISPATCH, (agencies.CaseAssigned, agencies.CaseChanged, agencies.ActionRefused)),),
    readers={AGENCY: (agencies.CaseAssigned, agencies.CaseChanged, agencies.ActionRefused)},
    partitions=1,
    retention_ms=400 * DAY_MS,
)
COMMANDS = _named(agencies, asked_by(Role.AGENCY_SYSTEM, Service.DISPATCH))
AGENCY_ACTIONS = Topic(
    name="tuntas.agency-actions.{agency}.v1",
    purpose="Commands of one agency's own system",
    key="case id",
    publications=(Publication(AGENCY, COMMANDS),),
    readers={Service.DISPATCH: COMMANDS},
    partitions=1,
    retention_ms=30 * DAY_MS,
    append_time=True,
    segment_days=10,
    stored_uncompressed=True,
    max_message_bytes=131_072,
)

WATERMARKS = Topic(
    name="tuntas.watermarks.v1",
    purpose="How far each service's events lie on the cases topic",
    key="none",
    publications=tuple(Publication(s, (watermarks.WatermarkAdvanced,)) for s in (Service.INTAKE, Service.TRIAGE, Service.DISPATCH)),
    readers={Service.SLA_MONITOR: (watermarks.WatermarkAdvanced,)},
    partitions=12,  # each broker leads some, so that each is asked for its clock and none is needed
    retention_ms=DAY_MS,
    append_time=True,
    segment_days=0.25,
)

TOPICS: tuple[Topic, ...] = (CASES, SLA, NOTICES, AGENCIES, AGENCY_CASES, AGENCY_ACTIONS, WATERMARKS)


def agency_of(topic: str) -> str | None:
    """The agency that a topic belongs to, None for one that belongs to no agency."""
    for family in (AGENCY_CASES, AGENCY_ACTIONS):
        if family.includes(topic):
            return family.agency_of(topic)
    return None


def concrete_topics(agency_codes: Iterable[str]) -> Sequence[tuple[str, Topic]]:
    """Every topic that a platform with these agencies has, by its name."""
    codes = tuple(agency_codes)
    return [(name, topic) for topic in TOPICS for name in ([topic.for_agency(c) for c in codes] if topic.per_agency else [topic.name])]


def message_types() -> dict[str, type[Contract]]:
    """Every message type by its name, which is its CloudEvents type without the prefix."""
    return {m.__name__: m for topic in TOPICS for m in topic.messages()}
