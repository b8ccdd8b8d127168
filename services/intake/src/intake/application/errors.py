"""Why a use case of intake did not do what it was asked. `entrypoints/problems.py` says how HTTP answers each.

What a case's state forbids is a `Refusal` of the contracts.
"""

from uuid import UUID


class IntakeError(Exception):
    """Nothing was changed."""


class NoSuchReport(IntakeError):
    """A tracking id and an access code that do not go together; an unknown id is not distinguished from a wrong code."""


class TooManyWrongCodes(IntakeError):
    """A tracking id and an access code that do not go together, after too many wrong tries. The right code is taken all the same."""


class RetryKeyReused(IntakeError):
    """The key of a retry came with another body before."""

    def __init__(self, what: str) -> None:
        """`what` the key was used for: a report or an input."""
        super().__init__(f"the retry key was used for another {what}")
        self.what = what


class FutureIncident(IntakeError):
    """The date of the incident has not begun anywhere in Indonesia."""


class FutureReceipt(IntakeError):
    """The time at which a report was received by hand lies ahead."""


class ReceivedTooLongAgo(IntakeError):
    """A report was received by hand so long ago that it can't be entered any more."""


class TrackingIdTaken(IntakeError, ValueError):
    """The tracking id drawn for a report is an earlier one's. A ValueError, so that a group commit fails this report alone."""


class UnknownCase(IntakeError):
    """There is no personal data of this case."""

    def __init__(self, case_id: UUID) -> None:
        super().__init__(f"no personal data of case {case_id}")
        self.case_id = case_id


class AnonymousReporter(IntakeError):
    """The reporter of this case is disclosed to no one."""


class OtherAgencysCase(IntakeError):
    """The case does not lie with the officer's agency, or is about misconduct and so for a national administrator alone."""


class ReporterDataErased(IntakeError):
    """The reporter's data was erased at their wish."""


class NothingToErase(IntakeError):
    """There is no such reporter, or their data is erased already."""
