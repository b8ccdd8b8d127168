"""Where a role reads its mail, and which addresses may be written to."""

import re
from dataclasses import dataclass

from tuntas_contracts.vocabulary import AGENCY_ROLES, Role, WarningLevel

# Atoms of RFC 5321 and any letter (RFC 6531 addresses are distinguished later); no quoted local parts, no address literals
_LOCAL = r"[^\s\x00-\x20\x7f()<>\[\]:;@\\,\"]+"
_ADDRESS = re.compile(rf"^(?=.{{3,254}}$){_LOCAL}@(?=.{{1,253}}$)[^\W_](?:[\w-]*[^\W_])?(?:\.[^\W_](?:[\w-]*[^\W_])?)+$")

OFFICERS_OF_AGENCIES = AGENCY_ROLES - {Role.AGENCY_SYSTEM}
"""The roles that read an agency's mail."""


@dataclass(frozen=True, slots=True)
class CentralMailboxes:
    """The addresses of roles that belong to no agency."""

    national_administrator: str
    supervisor: str
    operator: str


def is_address(text: str) -> bool:
    """Whether this can stand in an SMTP envelope: one `local@domain`, no white space, control character or bracket."""
    return _ADDRESS.match(text) is not None and ".." not in text and len(text.rpartition("@")[0].encode()) <= 64


def envelope_address(text: str) -> str | None:
    """The address in ASCII, an international domain in its ASCII form (IDNA); None where no mail can be sent to it."""
    if not is_address(text):
        return None
    local, _, domain = text.rpartition("@")
    try:
        return f"{local.encode('ascii').decode()}@{domain.encode('idna').decode()}"
    except UnicodeError:
        return None


def role_mailbox(email: str, role: Role) -> str:
    """An agency's mailbox for one role, by plus-addressing: `pengaduan+head@kemenkes.agency.example`."""
    local, _, domain = email.rpartition("@")
    return f"{local}+{role.value}@{domain}"


def plain_mailbox(role_address: str, role: Role) -> str | None:
    """The mailbox that a role's plus-address belongs to; None for an address that is no such one."""
    local, _, domain = role_address.rpartition("@")
    plain = local.removesuffix(f"+{role.value}")
    return f"{plain}@{domain}" if plain and plain != local else None


def mailbox_of(
    role: Role, agency_email: str | None, supervisor_email: str | None, level: str | None, central: CentralMailboxes
) -> str | None:
    """Where an officer's notice goes; None where that role has no mailbox.

    `supervisor_email` is the mailbox of the tier above the agency (berjenjang), which reads escalations; the rest of what
    a supervisor is notified goes to the national one.
    """
    if role in OFFICERS_OF_AGENCIES:
        return role_mailbox(agency_email, role) if agency_email else None
    if role is Role.SUPERVISOR:
        if level == WarningLevel.ESCALATED and supervisor_email:
            return role_mailbox(supervisor_email, role)
        return central.supervisor
    if role is Role.NATIONAL_ADMINISTRATOR:
        return central.national_administrator
    if role is Role.OPERATOR:
        return central.operator
    return None
