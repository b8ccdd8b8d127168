"""What intake's use cases need of the database, the outbox, the keys and the callers. The adapters implement it.

A method with a `connection` works in the transaction that is open on it.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, Protocol, TypeAlias
from uuid import UUID

from intake.domain.history import CaseStatus, HistoryEntry
from intake.domain.masking import OwnData
from tuntas_chassis.messaging.messages import Outgoing
from tuntas_chassis.persistence.database import Transaction
from tuntas_contracts.base import Actor
from tuntas_contracts.reports import ReportContent
from tuntas_contracts.vocabulary import Classification, Role


class Caller(Protocol):
    """Who calls, as far as a use case asks: an officer, an agency's application or a service."""

    @property
    def subject(self) -> str:
        """Their name at the identity provider."""
        ...

    @property
    def roles(self) -> Collection[Role]:
        """What they may do."""
        ...

    @property
    def agency(self) -> str | None:
        """Whom they act for; None for national roles."""
        ...


class Database(Protocol):
    """Where transactions are opened."""

    def begin(self) -> AbstractAsyncContextManager[Transaction]:
        """A transaction that commits at the end of the block and leaves nothing behind after an error."""
        ...

    def connect(self) -> AbstractAsyncContextManager[Transaction]:
        """For reading, where the service's work depends on it."""
        ...

    def read(self) -> AbstractAsyncContextManager[Transaction]:
        """For reading what somebody asks."""
        ...


class Outbox(Protocol):
    """Where messages wait for the relay."""

    async def write(self, connection: Transaction, outgoing: Sequence[Outgoing], /) -> None:
        """Write messages in the transaction of the state that they announce, whose rows are locked."""
        ...

    def written(self) -> None:
        """Call after the commit."""
        ...


class SealedData(NamedTuple):
    """A new reporter's wrapped key and first ciphertext."""

    wrapped_key: bytes
    ciphertext: bytes


class Vault(Protocol):
    """Encrypts what is kept of a submission."""

    def seal_new(self, reporter_ref: UUID, plaintext: bytes, /) -> SealedData:
        """Encrypt the first data of a reporter under a new key."""
        ...

    def wrap(self, plaintext: bytes, context: bytes, /) -> bytes:
        """Encrypt under the platform's current key, bound to a context."""
        ...

    def unwrap(self, wrapped: bytes, context: bytes, /) -> bytes:
        """Decrypt what `wrap` made with the same context."""
        ...


class RetryReceipt(NamedTuple):
    """What makes a retry return the same receipt: keyed hashes of the client's key and body, and the sealed receipt."""

    key_hash: bytes
    body_hash: bytes
    sealed_receipt: bytes


class NewReport(NamedTuple):
    """A report ready to be written. `content` is masked; its `submitted_at` is set when it is written.

    `access_hash` is None where the code is made when the receipt is mailed. `assisted`: who enters the report gets the code.
    """

    case_id: UUID
    access_hash: bytes | None
    sealed: SealedData
    content: ReportContent
    actor: Actor
    entered_by: str | None
    original_received_at: datetime | None
    traceparent: str
    retry: RetryReceipt | None
    assisted: bool = False
    name_fingerprints: tuple[str, ...] = ()

    @property
    def size_bytes(self) -> int:
        """About what it takes in a transaction; what else it holds is small and bounded."""
        return len(self.content.title.encode()) + len(self.content.body.encode()) + len(self.sealed.ciphertext)


class Filed(NamedTuple):
    """A report that is on file. `sealed_receipt` is that of the earlier submission where this one repeated it."""

    case_id: UUID
    tracking_id: str
    submitted_at: datetime
    sealed_receipt: bytes | None = None


@dataclass(frozen=True, slots=True)
class IdempotencyConflict:
    """The client's key was used for another body before."""


class ReportFile(Protocol):
    """Where new reports are put on file, many in one transaction."""

    async def submit(self, item: NewReport, /) -> Filed | IdempotencyConflict:
        """Returns when the report is committed, or was before. Raises TrackingIdTaken."""
        ...


class RebuiltReport(NamedTuple):
    """What the topic still knows of a report that the database has lost: no personal data and no access code."""

    case_id: UUID
    tracking_id: str
    reporter_ref: UUID
    classification: str
    channel: str
    language: str
    anonymous: bool
    secret: bool
    misconduct: bool
    title: str
    submitted_at: datetime
    assisted: bool
    profile: str


class StoredReport(NamedTuple):
    """A report as its reporter opens it. Without `access_hash` no code opens it yet, or any more."""

    case_id: UUID
    tracking_id: str
    access_hash: bytes | None
    reporter_ref: UUID
    classification: Classification
    title: str
    submitted_at: datetime
    assisted: bool
    profile: str


class ReporterOfCase(NamedTuple):
    """What decides whether an officer may learn who reported."""

    reporter_ref: UUID
    anonymous: bool
    misconduct: bool


class Reports(Protocol):
    """The reports on file."""

    async def find(self, connection: Transaction, tracking_id: str, /) -> StoredReport | None:
        """The report with this id, at the same cost whether there is one or not."""
        ...

    async def reporter_of(self, connection: Transaction, case_id: UUID, /) -> ReporterOfCase | None:
        """Who reported a case; None for an unknown case."""
        ...

    async def renew_codes(self, connection: Transaction, access_hashes: Mapping[UUID, bytes], /) -> Collection[UUID]:
        """Replace the codes of those cases that somebody else entered and that are not assisted; returns these."""
        ...


class KnownInput(NamedTuple):
    """An input that was accepted before."""

    body_hash: bytes
    accepted_at: datetime


class InputFile(Protocol):
    """What reporters sent after submitting."""

    async def lock_report(self, connection: Transaction, case_id: UUID, /) -> None:
        """Let one input of a case be accepted at a time, so that the topic has them in the order of their commits."""
        ...

    async def find(self, connection: Transaction, input_id: UUID, case_id: UUID, /) -> KnownInput | None:
        """The input with this id, if it was accepted before."""
        ...

    async def add(self, connection: Transaction, input_id: UUID, case_id: UUID, body_hash: bytes, accepted_at: datetime, /) -> None:
        """Remember an accepted input."""
        ...


class CaseHistory(Protocol):
    """What was read of cases from the topic."""

    async def status(self, connection: Transaction, case_id: UUID, /) -> CaseStatus:
        """Where a case stands."""
        ...

    async def page(self, connection: Transaction, case_id: UUID, *, before: int | None, limit: int) -> Sequence[HistoryEntry]:
        """The newest events of a case with a version below `before`, in order of version; none right after its submission."""
        ...


class Read(NamedTuple):
    """A reader's wish: whose data, of which case, and why."""

    reporter_ref: UUID
    case_id: UUID
    purpose: str


class Found(NamedTuple):
    """A reporter's own data with what the report says beside it."""

    tracking_id: str
    language: str
    own: OwnData


Missing: TypeAlias = Literal["unknown", "erased", "unreadable"]
"""Why there is no data."""


class PersonalData(Protocol):
    """The one way to personal data."""

    async def read(self, connection: Transaction, reads: Sequence[Read], subject: str, at: datetime, /) -> Sequence[Found | Missing]:
        """The data wished for, in order, or why there is none. What was found is logged as read by `subject`."""
        ...

    async def add(self, connection: Transaction, reporter_ref: UUID, source_id: UUID, original: str, /) -> None:
        """Keep the original of a later text under the reporter's key; after erasure nothing is kept."""
        ...

    async def cases_of(self, connection: Transaction, reporter_ref: UUID, /) -> Sequence[UUID]:
        """The cases of a reporter whose data is not erased."""
        ...

    async def erase(self, connection: Transaction, erased: Mapping[UUID, datetime], /) -> int:
        """Destroy reporters' keys and ciphertexts, each at its time; returns how many there were to destroy."""
        ...
