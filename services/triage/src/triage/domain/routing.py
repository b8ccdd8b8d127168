"""Where a new report goes by itself: the first decision on every case."""

from dataclasses import dataclass

from triage.domain.register import Agency, Register
from tuntas_contracts.cases import FastTrack
from tuntas_contracts.reports import ReportContent
from tuntas_contracts.vocabulary import QueueReason
from tuntas_reference.profile import RegulationProfile


@dataclass(frozen=True, slots=True)
class Wait:
    """T1: the report waits in the national queue for a verifier."""

    reason: QueueReason


@dataclass(frozen=True, slots=True)
class Forward:
    """T2, or with a fast track T21: the report goes on to an agency."""

    agency: Agency
    fast_track: FastTrack | None = None


def route(report: ReportContent, register: Register, profile: RegulationProfile) -> Wait | Forward:
    """Decide T1, T2 or T21.

    What must not reach an agency unseen stays at the centre, whatever else holds. A fast track outranks the reporter's own
    choice, and is passed over while its agency is unknown or disabled: no report goes to nobody.
    """
    if report.misconduct:
        return Wait(QueueReason.MISCONDUCT)
    if report.anonymous and report.secret:
        return Wait(QueueReason.ANONYMOUS_AND_SECRET)
    if (rule := profile.fast_track(report.category, report.title, report.body)) is not None:
        agency = register.get(rule.agency)
        if agency is not None and agency.enabled:
            track = FastTrack(
                rule=rule.code,
                unit=rule.unit,
                service_class=rule.service_class,
                follow_up_limit=rule.first_follow_up_working_days,
                completion_limit=rule.completion_working_days,
            )
            return Forward(agency, track)
    if report.addressed_agency is None:
        return Wait(QueueReason.NO_AGENCY_ADDRESSED)
    agency = register.get(report.addressed_agency)
    if agency is None or not agency.enabled:
        return Wait(QueueReason.UNKNOWN_AGENCY)
    return Forward(agency)
