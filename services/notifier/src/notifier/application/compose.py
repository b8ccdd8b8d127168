"""From a delivery to its mail, or to the reason why there is none."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import ValidationError

from notifier.application.delivery_events import check_event
from notifier.application.ports import Contact, LetterWriter, UnrenderableLetter
from notifier.domain.delivery import MAX_REPEATS, Claimed, NoChannel, NotTried, Postponed, Refused, Result, Unhandled
from notifier.domain.greeting import greeting_name
from notifier.domain.mail import Mail, build_mail
from notifier.domain.mailboxes import CentralMailboxes, envelope_address, mailbox_of, plain_mailbox
from notifier.domain.quiet_hours import waits_until
from tuntas_chassis.clock import Clock
from tuntas_chassis.set_aside_rows import fault_of
from tuntas_chassis.telemetry.logs import logger
from tuntas_contracts.vocabulary import Role

_log = logger(__name__)
_CASE_NOT_READ = timedelta(seconds=5)
_CASE_NEVER_READ = timedelta(hours=24)
_CONTACTS_RETRY = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateRenderer:
    """What every mail has in common."""

    sender: str
    sender_name: str
    reporter_page: str
    officer_page: str
    central: CentralMailboxes

    @property
    def domain(self) -> str:
        """What ends every Message-ID."""
        return self.sender.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Addressee:
    """Where a mail goes: a checked address, how its reader is called, and the page that it points to.

    `plain_address` is the mailbox that `address`, a plus-address, belongs to. `access_code` stands in the
    receipt of a report that somebody else entered.
    """

    address: str
    name: str | None
    page: str
    plain_address: str | None = None
    access_code: str | None = None


class Composer:
    """Writes mails. `wall` is real time, `clock` the business time that a mail is dated with."""

    def __init__(self, renderer: TemplateRenderer, letters: LetterWriter, clock: Clock, wall: Callable[[], datetime]) -> None:
        self._renderer = renderer
        self._letters = letters
        self._clock = clock
        self._wall = wall

    def postponed(self, one: Claimed) -> Postponed | None:
        """Whether the mail of a delivery waits for the morning: asked before anybody's contact is looked up."""
        until = waits_until(one.delivery, one.agency_time_zone, self._clock.now())
        return Postponed(until) if until is not None else None

    def mail(self, one: Claimed, contacts: Mapping[UUID, Contact] | None) -> Mail | Result:
        """The mail of a delivery, or why there is none; `contacts` is None while intake can't be asked.

        A delivery that this code can't handle, whatever the fault, harms no other.
        """
        try:
            return self._mail(one, contacts)
        except Exception as error:
            # the message of any other error may hold what is personal: a name, an address, a code
            fault = fault_of(error) if isinstance(error, UnrenderableLetter | ValidationError) else type(error).__name__
            _log.error("notice_not_written", notice_id=str(one.delivery.notice_id), detail=fault)
            return Unhandled(fault)

    def _mail(self, one: Claimed, contacts: Mapping[UUID, Contact] | None) -> Mail | Result:
        if one.repeats > MAX_REPEATS:
            return Refused("outcome_unknown: cut off between sending and recording more than once")
        to = self._addressee(one, contacts)
        if not isinstance(to, Addressee):
            return to
        letter = self._letters.write(one, name=to.name, page=to.page, access_code=to.access_code)
        check_event(one, self._renderer.domain)
        return build_mail(
            one.delivery.notice_id,
            letter,
            sender=self._renderer.sender,
            sender_name=self._renderer.sender_name,
            recipient=to.address,
            recipient_name=to.name,
            domain=self._renderer.domain,
            date=self._clock.now(),
            plain_recipient=to.plain_address,
        )

    def _addressee(self, one: Claimed, contacts: Mapping[UUID, Contact] | None) -> Addressee | Result:
        if one.tracking_id is None or one.reporter_ref is None:
            waited = self._wall() - one.created_at
            return Refused("unknown_case") if waited > _CASE_NEVER_READ else NotTried("the case is not read yet", _CASE_NOT_READ)
        if one.delivery.recipient is not Role.REPORTER:
            return self._officer(one)
        if contacts is None:
            return NotTried("contacts unavailable", _CONTACTS_RETRY)
        contact = contacts.get(one.reporter_ref)
        if contact is None:
            return NoChannel("no_contact")
        if contact.email is None:
            return NoChannel("no_email")
        page = f"{self._renderer.reporter_page}/{one.tracking_id}"
        to = _addressee(contact.email, greeting_name(contact.name), page)
        return replace(to, access_code=contact.access_code) if isinstance(to, Addressee) else to

    def _officer(self, one: Claimed) -> Addressee | Refused | Unhandled:
        role = one.delivery.recipient
        if not isinstance(role, Role):
            return Unhandled(f"{role!r} is no role of this release")
        level = one.delivery.variables.get("level")
        mailbox = mailbox_of(
            role,
            one.agency_email,
            one.supervisor_email,
            level if isinstance(level, str) else None,
            self._renderer.central,
        )
        if mailbox is None:
            return Refused("no_mailbox")
        page = f"{self._renderer.officer_page}/{one.delivery.case_id}"
        return _addressee(mailbox, None, page, role)


def _addressee(address: str, name: str | None, page: str, role: Role = Role.REPORTER) -> Addressee | Refused:
    usable = envelope_address(address)
    return Addressee(usable, name, page, plain_mailbox(usable, role)) if usable is not None else Refused("unusable_address")
