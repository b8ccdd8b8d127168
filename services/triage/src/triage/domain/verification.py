"""What a national administrator may do with a case: verify and route it (T3), or archive it (T13)."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from triage.domain.case import Case
from triage.domain.register import Agency, Register
from tuntas_contracts.refusal import Refusal, RefusalCode
from tuntas_contracts.texts.masking import mask_identifiers
from tuntas_contracts.vocabulary import ArchiveReason, CaseState, Classification
from tuntas_reference.categories import load_categories
from tuntas_reference.profile import RegulationProfile


class InvalidCommand(ValueError):
    """A command whose content can't be right for any state of its case. `field` is what to correct, `detail` how."""

    def __init__(self, code: str, field: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.field = field
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Verify:
    """T3: send the case to an agency, with what the verifier edited; None leaves a field as it is."""

    agency: str
    title: str | None = None
    category: str | None = None
    classification: Classification | None = None


@dataclass(frozen=True, slots=True)
class Archive:
    """T13: archive the case; a duplicate names the case that stays open."""

    reason: ArchiveReason
    note: str | None = None
    duplicate_of: UUID | None = None


def masked(text: str | None, field: str, longest: int, mask_name: Callable[[str, int], str]) -> str | None:
    """What a verifier wrote, with identifiers and the reporter's name masked.

    Raises InvalidCommand where identifiers' masks make it longer than `longest` characters; `mask_name` never does.
    """
    if text is None:
        return None
    found = mask_identifiers(text).text
    if len(found) > longest:
        raise InvalidCommand("too_long", field, f"with identifiers masked it is longer than {longest} characters: shorten it")
    return mask_name(found, longest)


def check_waiting(case: Case) -> None:
    """Raise Refusal unless triage owns the case and it waits in the national queue."""
    if not case.owned:
        where = f" (at {case.agency})" if case.agency else ""
        raise Refusal(RefusalCode.NOT_OWNER, f"the case belongs to {case.owner.value}{where}, not to triage: ask there")
    if case.state is CaseState.ARCHIVED:
        reason = case.archive_reason or "unknown"
        raise Refusal(RefusalCode.CASE_ARCHIVED, f"the case is archived ({reason}); only an appeal by its reporter reopens it")
    if case.state is not CaseState.RECEIVED:
        raise Refusal(
            RefusalCode.NOT_IN_STATE, f"the case is {case.state.value}; only a case that is received can be verified or archived here"
        )


def check_route(case: Case, command: Verify, register: Register) -> Agency:
    """The agency that T3 goes to. Raises Refusal, and InvalidCommand where the agency or category can't be right for any case.

    An agency that has returned a case gets it again by arbitration only: otherwise a verifier could pass it to and fro.
    """
    check_waiting(case)
    if command.category is not None and command.category not in load_categories():
        raise InvalidCommand("unknown_category", "category", f"no category {command.category!r}: take a code of the category tree")
    agency = register.get(command.agency)
    if agency is None:
        raise InvalidCommand("unknown_agency", "agency", f"no agency {command.agency!r} in the register: take a code from the register")
    if not agency.enabled:
        raise InvalidCommand(
            "disabled_agency", "agency", f"agency {agency.code!r} ({agency.name}) takes no cases any more: route to its successor"
        )
    if case.misconduct:
        raise Refusal(
            RefusalCode.MISCONDUCT_STAYS_NATIONAL,
            "a report of an official's misconduct is not routed to an agency: it is handled at the centre, or archived with a reason",
        )
    if case.bounces and case.agency == agency.code and not case.arbitration:
        raise Refusal(
            RefusalCode.RETURNED_BY_THIS_AGENCY,
            f"{agency.code} has returned this case as not its own: route it to another agency; only an arbitration may send it there again",
        )
    return agency


def check_archive(case: Case, command: Archive, profile: RegulationProfile) -> None:
    """Raise Refusal where the case can't be archived now, InvalidCommand where the reason is not one for T13."""
    check_waiting(case)
    allowed = profile.archive_reasons_for("T13")
    if command.reason not in allowed:
        raise InvalidCommand(
            "archive_reason_not_allowed",
            "reason",
            f"{command.reason.value} is not a reason that an administrator may give under {profile.name}: take one of {', '.join(allowed)}",
        )
    links = any(rule.links_case for rule in profile.archive_reasons if rule.code == command.reason)
    if links and command.duplicate_of is None:
        raise InvalidCommand("duplicate_of_missing", "duplicate_of", "name the case that stays open")
    if not links and command.duplicate_of is not None:
        raise InvalidCommand(
            "duplicate_of_without_duplicate", "duplicate_of", f"{command.reason.value} links no case: leave duplicate_of out"
        )
    if command.duplicate_of == case.case_id:
        raise InvalidCommand("duplicate_of_itself", "duplicate_of", "a case is no duplicate of itself: name the case that stays open")
