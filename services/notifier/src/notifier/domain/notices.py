"""A notice (pemberitahuan): what is said, to which role, about which case."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tuntas_contracts.vocabulary import Role

Value = str | int | bool | None


class NoticeKind(StrEnum):
    """What a notice says; each has its templates in Indonesian and in English."""

    RECEIPT = "receipt"  # tanda terima
    FORWARDED = "forwarded"  # diteruskan
    RETURNED = "returned"  # bukan wewenang
    ARCHIVED = "archived"  # diarsipkan
    ANSWERED = "answered"  # dijawab
    RESUMED = "resumed"  # tanggapan diteruskan
    CLOSED = "closed"  # selesai
    INPUT_REFUSED = "input_refused"  # masukan ditolak
    REMINDER = "reminder"  # pengingat
    OVERDUE = "overdue"  # terlambat
    DEADLINE_WARNING = "deadline_warning"  # peringatan
    DEADLINE_MISSED = "deadline_missed"  # tenggat terlampaui


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice to one role. `variables` go into the template and hold codes and dates, never personal data.

    A `recipient` of a later release is a text.
    """

    kind: NoticeKind
    recipient: Role | str
    agency: str | None = None
    variables: Mapping[str, Value] = field(default_factory=dict)
