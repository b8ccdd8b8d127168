"""The vocabularies of the domain: states, classes, clocks, roles, channels, kinds and reasons.

`Service`, `CaseState`, `Classification` and `ServiceClass` are closed: who owns a case, what may be done with it and which limits hold
follow from them, so a reader that does not know one of their values can't go on with the case. A new one is a breaking change. All others
may grow: messages carry them by the types of `open_values.py`, and readers take values that they do not know.
"""

from enum import StrEnum
from typing import Final, Self


class Service(StrEnum):
    """The five services; as `owner`, the one that alone may change a case."""

    INTAKE = "intake"
    TRIAGE = "triage"
    DISPATCH = "dispatch"
    SLA_MONITOR = "sla-monitor"
    NOTIFIER = "notifier"


class Classification(StrEnum):
    """What a report is (Permenpan RB 62/2018)."""

    COMPLAINT = "complaint"  # pengaduan
    INFORMATION = "information"  # permintaan informasi
    ASPIRATION = "aspiration"  # aspirasi


class CaseState(StrEnum):
    """Where a case stands (status)."""

    RECEIVED = "received"
    AT_AGENCY = "at_agency"
    AWAITING_DATA = "awaiting_data"
    DISPATCHED = "dispatched"
    IN_PROGRESS = "in_progress"
    RESPONDED = "responded"
    CLOSED = "closed"
    ARCHIVED = "archived"


class Transition(StrEnum):
    """The numbered transitions of the domain's state table, those of later releases included."""

    T1 = "T1"
    T2 = "T2"
    T3 = "T3"
    T4 = "T4"
    T5 = "T5"
    T6 = "T6"
    T7 = "T7"
    T8 = "T8"
    T9 = "T9"
    T10 = "T10"
    T11 = "T11"
    T12 = "T12"
    T13 = "T13"
    T14 = "T14"
    T15 = "T15"
    T16 = "T16"
    T17 = "T17"
    T18 = "T18"
    T19 = "T19"
    T20 = "T20"
    T21 = "T21"
    T22 = "T22"
    T23 = "T23"
    T24 = "T24"
    T25 = "T25"
    T26 = "T26"


class ServiceClass(StrEnum):
    """The completion classes with their legal limits (Permenpan RB 62/2018)."""

    INFORMATION = "information"
    NORMATIVE = "normative"
    ORDINARY = "ordinary"
    SUPERVISORY = "supervisory"


class Clock(StrEnum):
    """The legal clocks, those of later releases included; C5 is the warning checkpoint of C4 and has no end of its own."""

    C1 = "C1"  # national verification
    C2 = "C2"  # agency verification
    C3 = "C3"  # first follow-up
    C4 = "C4"  # completion
    C5 = "C5"  # monitoring warning
    C6 = "C6"  # reporter's reply, then automatic close
    C7 = "C7"  # data completion
    C8 = "C8"  # re-answer
    C9 = "C9"  # statutory decision
    C10 = "C10"  # arbitration
    C11 = "C11"  # Ombudsman eligibility
    C12 = "C12"  # reopen window
    C13 = "C13"  # appeal window


class Role(StrEnum):
    """Who acts, or is informed (peran): with its names for people, and whether it is held at one agency."""

    indonesian: str
    english: str
    at_agency: bool

    def __new__(cls, code: str, indonesian: str = "", english: str = "", at_agency: bool = False) -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.indonesian, member.english, member.at_agency = indonesian, english, at_agency
        return member

    REPORTER = "reporter", "Pelapor", "Reporter"
    CLERK = "clerk", "Petugas", "Clerk"
    NATIONAL_ADMINISTRATOR = "national_administrator", "Admin Nasional", "National administrator"
    AGENCY_ADMINISTRATOR = "agency_administrator", "Admin Instansi", "Agency administrator", True
    LIAISON_OFFICER = "liaison_officer", "Pejabat Penghubung", "Liaison officer", True
    INSPECTORATE = "inspectorate", "Inspektorat", "Inspectorate", True
    RESPONSIBLE_OFFICER = "responsible_officer", "Penanggung Jawab", "Responsible officer", True
    HEAD = "head", "Pembina", "Head", True
    SUPERVISOR = "supervisor", "Pengawas", "Supervisor"
    AGENCY_SYSTEM = "agency_system", "Sistem instansi", "Agency's own system", True
    OPERATOR = "operator", "Operator", "Operator"
    AUDITOR = "auditor", "Auditor", "Auditor"
    SERVICE = "service", "Layanan platform", "Service of the platform"
    SYSTEM = "system", "Sistem", "System"


AGENCY_ROLES: Final = frozenset(role for role in Role if role.at_agency)
"""The roles held at one agency: of the officers there, and of the agency's own system."""


class Channel(StrEnum):
    """Where a report came in (kanal)."""

    WEB = "web"
    MOBILE = "mobile"
    SMS = "sms"
    EMAIL = "email"
    SOCIAL_MEDIA = "social_media"
    TELEPHONE = "telephone"
    WALK_IN = "walk_in"
    LETTER = "letter"
    COMPLAINT_BOX = "complaint_box"
    AGENCY_APPLICATION = "agency_application"


class Origin(StrEnum):
    """Who stands behind a report (Permenpan RB 62/2018)."""

    SERVICE_USER = "service_user"
    OMBUDSMAN_RECOMMENDATION = "ombudsman_recommendation"
    DPR = "dpr"
    PROVINCIAL_DPRD = "provincial_dprd"
    REGENCY_CITY_DPRD = "regency_city_dprd"


class ServiceKind(StrEnum):
    """The kind of public service complained of (UU 25/2009 art. 5)."""

    GOODS = "goods"
    SERVICE = "service"
    ADMINISTRATIVE = "administrative"


class AgencyKind(StrEnum):
    """What an agency is."""

    MINISTRY = "ministry"  # kementerian
    BODY = "body"  # lembaga
    PROVINCE = "province"  # provinsi
    REGENCY = "regency"  # kabupaten
    CITY = "city"  # kota
    STATE_ENTERPRISE = "state_enterprise"  # BUMN
    REGIONAL_ENTERPRISE = "regional_enterprise"  # BUMD
    INDEPENDENT_BODY = "independent_body"  # lembaga independen
    PRIVATE_PROVIDER = "private_provider"  # penyelenggara swasta


class UnitKind(StrEnum):
    """What a unit of an agency is for."""

    ORDINARY = "ordinary"
    INSPECTORATE = "inspectorate"  # inspektorat
    SERVICE_DESK = "service_desk"  # unit layanan pengaduan


class QueueReason(StrEnum):
    """Why a report waits in the national queue (T1)."""

    NO_AGENCY_ADDRESSED = "no_agency_addressed"
    MISCONDUCT = "misconduct"
    ANONYMOUS_AND_SECRET = "anonymous_and_secret"  # noqa: S105
    UNKNOWN_AGENCY = "unknown_agency"


class CloseReason(StrEnum):
    """Why a case was closed."""

    NO_REPLY = "no_reply"  # T17: the reporter's window ran out
    SATISFIED = "satisfied"  # T18: the reporter confirmed


class ArchiveReason(StrEnum):
    """Why a case is archived; which of them an actor may give is profile data."""

    DATA_NOT_COMPLETED = "data_not_completed"
    WITHDRAWN = "withdrawn"
    NOT_A_PUBLIC_SERVICE_MATTER = "not_a_public_service_matter"
    TOO_GENERAL = "too_general"
    UNINTELLIGIBLE = "unintelligible"
    DUPLICATE = "duplicate"
    IN_COURT = "in_court"
    NO_REPLY_NEEDED = "no_reply_needed"
    ABUSIVE = "abusive"
    SPAM = "spam"
    FORMAT_ERROR = "format_error"


class DecisionOutcome(StrEnum):
    """What became of a command or an input at the service that read it; the label of metrics."""

    ACCEPTED = "accepted"
    """It had its effect."""
    REJECTED = "rejected"
    """It was refused with a reason."""
    IGNORED = "ignored"
    """It concerns another service, or no longer holds."""
    REPUBLISHED = "republished"
    """The case was transferred meanwhile: it is published again behind the transfer, for the new owner."""
    HELD = "held"
    """It waits until the topic is read up."""


class WarningLevel(StrEnum):
    """How pressing a warning is; who is notified of which is profile data."""

    REMINDER = "reminder"
    YELLOW = "yellow"
    RED = "red"
    CHECKPOINT = "checkpoint"
    MISSED = "missed"
    ESCALATED = "escalated"
