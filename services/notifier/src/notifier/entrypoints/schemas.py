"""What callers of the notifier's HTTP interface see."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field

from notifier.adapters.history import NoticeRecord
from notifier.domain.delivery import Status
from notifier.domain.notices import NoticeKind
from tuntas_chassis.http.answers import MAX_PAGE, Code, Cursor, Moment, Prose, Total


class NoticeView(BaseModel):
    """One notice: what was sent to which role, and what became of it; never the address or the text.

    Kinds, roles and statuses are shown as they are stored: a row of a later release must not hide the others of its case.
    """

    notice_id: UUID
    kind: Code = Field(description=f"One of: {', '.join(NoticeKind)}")
    recipient: Code = Field(description="The role that got it")
    agency: Code | None
    status: Code = Field(description=f"One of: {', '.join(Status)}")
    occurred_at: Moment = Field(description="When that happened which the notice is about")
    settled_at: Moment | None = Field(description="When it was sent or given up, or found to have no channel; null while it waits")
    attempts: Total
    possible_repeat: bool = Field(description="It was sent although an earlier attempt may have arrived")
    reason: Prose | None = Field(description="Why it failed, or why the last attempt did")

    @classmethod
    def of(cls, record: NoticeRecord) -> Self:
        """The view of a delivery."""
        return cls(
            notice_id=record.notice_id,
            kind=record.kind,
            recipient=record.recipient,
            agency=record.agency,
            status=record.status,
            occurred_at=record.occurred_at,
            settled_at=record.settled_at,
            attempts=record.attempts,
            possible_repeat=record.repeats > 0,
            reason=record.reason,
        )


class NoticePage(BaseModel):
    """Notices of one case in the order of the events that they are about."""

    notices: Annotated[list[NoticeView], Field(max_length=MAX_PAGE)]
    next_cursor: Cursor | None
