"""Why a command or input is refused, and the one error that says so: understood, but not possible, and nothing was changed."""

from enum import StrEnum
from typing import Self


class RefusalCode(StrEnum):
    """Every reason, for programs, with its `meaning`. On the wire it is a text: readers must take a code that they do not know."""

    meaning: str

    def __new__(cls, code: str, meaning: str) -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member

    UNKNOWN_CASE = "unknown_case", "The caller's agency has no case of that id."
    NOT_OWNER = "not_owner", "Another service owns the case: the detail names it."
    NOT_IN_STATE = "not_in_state", "The case is in no state from which this is possible."
    CASE_ARCHIVED = "case_archived", "The case is archived; only an appeal reopens it."
    BINDING_ARBITRATION = "binding_arbitration", "The case was assigned by arbitration and can't be returned."
    MISCONDUCT_STAYS_NATIONAL = "misconduct_stays_national", "A report of an official's misconduct is not routed to an agency."
    RETURNED_BY_THIS_AGENCY = "returned_by_this_agency", "The agency has returned the case; only an arbitration may send it there again."
    UNKNOWN_UNIT = "unknown_unit", "The agency has no unit of that code."
    UNKNOWN_CATEGORY = "unknown_category", "The category tree has no such code."
    UNREADABLE_TEXT = "unreadable_text", "A text can't be stored, or holds nothing that can be read."
    SUPPLEMENT_QUOTA = "supplement_quota", "An answer was added to as often as a day allows."
    NOT_ANSWERED = "not_answered", "There is no answer yet to reply to or to confirm."
    BEING_ANSWERED_AGAIN = "being_answered_again", "The agency is at work on an earlier reply."
    ALREADY_CONFIRMED = "already_confirmed", "The reporter has confirmed the answer."
    WINDOW_OVER = "window_over", "The time to reply is over."
    UNKNOWN_TYPE = "unknown_type", "The message is of a type that is not read on that topic."
    INVALID_MESSAGE = "invalid_message", "The message can't be read: the detail names the fault."
    INTERNAL_ERROR = "internal_error", "A fault of the platform; it is logged."
    QUOTA_EXCEEDED = "quota_exceeded", "A summary of what was refused over the agency's quota."


class Refusal(Exception):
    """A command or input that its case does not allow.

    `code` is stable and for programs; `detail` says what was wrong and what to do. HTTP answers 409 with it, an agency's
    command gets `ActionRefused`, a reporter's input `InputRefused`.
    """

    def __init__(self, code: RefusalCode, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
