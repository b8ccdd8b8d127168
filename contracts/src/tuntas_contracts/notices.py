"""The events of the notices topic: what was sent to whom, with no address."""

from uuid import UUID

from tuntas_contracts.base import AgencyCode, BusinessTime, Contract, ShortText, Version
from tuntas_contracts.open_values import AnyRole


class NoticeEvent(Contract):
    """One notice to one recipient; `message_id` is the stable Message-ID of the mail."""

    notice_id: UUID
    case_id: UUID
    kind: ShortText
    recipient: AnyRole
    agency: AgencyCode | None = None
    message_id: ShortText
    occurred_at: BusinessTime


class NoticeSent(NoticeEvent):
    """The mail server took the notice. `possible_repeat`: an earlier attempt was cut off between sending and committing."""

    attempt: Version
    possible_repeat: bool = False


class NoticeFailed(NoticeEvent):
    """The notice was given up: refused for good, or too many attempts."""

    reason: ShortText


class NoticeNotSent(NoticeEvent):
    """There was no channel to this reader: a phone number alone, no contact, or data that were erased. No failure.

    `reason` is `no_email` or `no_contact`. Up to this type's first release such notices were NoticeFailed with these reasons.
    """

    reason: ShortText
