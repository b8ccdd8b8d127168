"""An agency as the notifier knows it from the register."""

from dataclasses import dataclass
from datetime import datetime

from tuntas_contracts.agencies import AgencyRegistered


@dataclass(frozen=True, slots=True)
class AgencyContact:
    """`email` is the agency's mailbox, from which those of its roles derive; `supervised_by` the tier above it."""

    code: str
    name: str
    email: str
    time_zone: str
    supervised_by: str | None
    as_of: datetime


def contact_after(known: AgencyContact | None, event: AgencyRegistered) -> AgencyContact | None:
    """The contact once `event` has been read; None where a later entry is known already."""
    if known is not None and known.as_of > event.occurred_at:
        return None
    return AgencyContact(event.code, event.name, event.email, event.time_zone, event.supervised_by, event.occurred_at)
