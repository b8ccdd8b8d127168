"""What topics and databases say of every case, and every difference between them. Pure: no I/O."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args
from uuid import UUID

from tuntas_chassis.ids import time_of

IN_FLIGHT_S = 60.0
"""Between two owners, or between a database and a topic, a case may be under way this long (real seconds)."""

DifferenceKind = Literal[
    "accepted_not_published",
    "delivered_not_forwarded",
    "delivered_to_another",
    "delivered_twice",
    "no_owner",
    "not_delivered",
    "owned_not_published",
    "owner_differs",
    "published_not_accepted",
    "two_events_of_one_version",
    "two_owners",
    "version_differs",
    "version_out_of_order",
]
KINDS: tuple[DifferenceKind, ...] = get_args(DifferenceKind)


@dataclass(frozen=True, slots=True)
class TopicEvent:
    """An owner's event as it is on the cases topic. `appended_s` is the broker's time, seconds since the epoch."""

    case_id: UUID
    message_id: UUID
    kind: str
    version: int
    owner: str
    agency: str | None
    appended_s: float


@dataclass(frozen=True, slots=True)
class Delivery:
    """A case as it was assigned on an agency's own topic."""

    case_id: UUID
    message_id: UUID
    version: int
    agency: str


@dataclass(frozen=True, slots=True)
class Holding:
    """A case as a service's database has it."""

    version: int
    state: str
    owner: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that does not agree, and about which case."""

    kind: DifferenceKind
    case_id: UUID
    detail: str


@dataclass(slots=True)
class CaseFile:
    """Everything the topics say of one case."""

    versions: dict[int, TopicEvent] = field(default_factory=dict)
    last_version: int = 0
    owner: str = ""
    appended_s: float = 0.0
    forwards: dict[int, str] = field(default_factory=dict)
    deliveries: dict[int, tuple[str, UUID]] = field(default_factory=dict)


class Ledger:
    """Gathers facts from the topics as they are read, and compares them with the databases on demand."""

    def __init__(self, since_s: float = 0.0) -> None:
        """Cases accepted before `since_s` (seconds since the epoch) are skipped."""
        self.cases: dict[UUID, CaseFile] = {}
        self.events = 0
        self._since_s = since_s
        self._faults: list[Difference] = []

    def concerns(self, case_id: UUID) -> bool:
        """Whether this case is compared: its id says when it was accepted."""
        return not self._since_s or time_of(case_id) >= self._since_s

    def note_event(self, event: TopicEvent) -> None:
        """An owner's event, in the order of the topic. The same message again is what readers drop; another is a fault."""
        if not self.concerns(event.case_id):
            return
        self.events += 1
        case = self.cases.setdefault(event.case_id, CaseFile())
        known = case.versions.get(event.version)
        if known is not None:
            if known.message_id != event.message_id:
                self._fault("two_events_of_one_version", event.case_id, f"version {event.version}: {known.kind} and {event.kind}")
            return
        if event.version != case.last_version + 1:
            self._fault("version_out_of_order", event.case_id, f"{event.kind} {event.version} follows {case.last_version}")
        case.versions[event.version] = event
        case.last_version = max(case.last_version, event.version)
        case.owner = event.owner
        case.appended_s = event.appended_s
        if event.kind == "CaseForwarded" and event.agency is not None:
            case.forwards[event.version] = event.agency

    def note_delivery(self, delivery: Delivery) -> None:
        """A `CaseAssigned` on an agency's topic."""
        if not self.concerns(delivery.case_id):
            return
        case = self.cases.setdefault(delivery.case_id, CaseFile())
        known = case.deliveries.get(delivery.version)
        if known is not None and known != (delivery.agency, delivery.message_id):
            self._fault("delivered_twice", delivery.case_id, f"version {delivery.version} to {known[0]} and to {delivery.agency}")
        case.deliveries[delivery.version] = (delivery.agency, delivery.message_id)

    def _fault(self, kind: DifferenceKind, case_id: UUID, detail: str) -> None:
        self._faults.append(Difference(kind, case_id, detail))

    def differences(
        self,
        accepted: Mapping[UUID, float],
        triage: Mapping[UUID, Holding],
        dispatch: Mapping[UUID, Holding],
        now_s: float,
        *,
        in_flight_s: float = IN_FLIGHT_S,
    ) -> list[Difference]:
        """Everything that does not agree. `accepted` maps intake's cases to when they were written (real seconds)."""
        found = list(self._faults)
        for case_id, written_s in accepted.items():
            if case_id not in self.cases and now_s - written_s > in_flight_s:
                found.append(Difference("accepted_not_published", case_id, "in intake's database, not on the cases topic"))
        for case_id, case in self.cases.items():
            old_enough = now_s - case.appended_s > in_flight_s
            found.extend(self._of_case(case_id, case, accepted, triage.get(case_id), dispatch.get(case_id), old_enough=old_enough))
        for name, holdings in (("triage", triage), ("dispatch", dispatch)):
            for case_id in holdings.keys() - self.cases.keys():
                found.append(Difference("owned_not_published", case_id, f"in {name}'s database, not on the cases topic"))
        return found

    def _of_case(
        self,
        case_id: UUID,
        case: CaseFile,
        accepted: Mapping[UUID, float],
        triage: Holding | None,
        dispatch: Holding | None,
        *,
        old_enough: bool,
    ) -> Iterable[Difference]:
        if case_id not in accepted:
            yield Difference("published_not_accepted", case_id, "on the cases topic, not in intake's database")
        owners = [name for name, holding in (("triage", triage), ("dispatch", dispatch)) if holding is not None and holding.owner == name]
        if len(owners) > 1:
            yield Difference("two_owners", case_id, "triage and dispatch both hold it as theirs")
        elif not owners and old_enough:
            yield Difference("no_owner", case_id, f"the topic gives it to {case.owner or 'nobody'}, who does not hold it")
        elif owners and old_enough and owners[0] != case.owner:
            yield Difference("owner_differs", case_id, f"{owners[0]} holds it, the topic gives it to {case.owner}")
        holder = {"triage": triage, "dispatch": dispatch}.get(case.owner)
        if old_enough and holder is not None and holder.version != case.last_version:
            yield Difference("version_differs", case_id, f"{case.owner} is at {holder.version}, the topic at {case.last_version}")
        for version, agency in case.forwards.items():
            delivered = case.deliveries.get(version)
            if delivered is None and old_enough:
                yield Difference("not_delivered", case_id, f"version {version} was forwarded to {agency} and is not on its topic")
            elif delivered is not None and delivered[0] != agency:
                yield Difference("delivered_to_another", case_id, f"version {version} was for {agency}, went to {delivered[0]}")
        for version in case.deliveries.keys() - case.forwards.keys():
            yield Difference("delivered_not_forwarded", case_id, f"version {version} is on an agency's topic and was never forwarded")
