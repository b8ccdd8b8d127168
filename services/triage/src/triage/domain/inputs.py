"""Who takes an input of a reporter or of time, and what triage answers."""

from dataclasses import dataclass

from triage.domain.case import Case
from tuntas_contracts.base import InputEvent
from tuntas_contracts.cases import WindowElapsed
from tuntas_contracts.vocabulary import CaseState, Service


@dataclass(frozen=True, slots=True)
class PassOver:
    """Another service is responsible."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """Triage was responsible when the input came, but something of its own lies or will lie behind it: repeat it behind that."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Triage owns the case and can't act: `code` for programs, `detail` for the reporter (Indonesian, then English)."""

    code: str
    detail: str


def take(case: Case, body: InputEvent, *, catching_up: bool) -> PassOver | Repeat | Refuse:
    """Who takes the input.

    `catching_up`: the topic may hold decisions of triage that this database has lost. To answer now could contradict them.
    Triage holds a case only before an agency has it or after it was archived: there is no answer to reply to or to confirm,
    and no window that could run out, so whatever it must take it refuses.
    """
    if case.topic_owner is not Service.TRIAGE:
        return PassOver()
    if not case.owned or catching_up:
        return Repeat()
    if isinstance(body, WindowElapsed):
        clock = f"{body.clock.value}, deadline version {body.deadline_version},"
        return Refuse("window_not_running", f"{clock} does not run while a case is {case.state.value}")
    if case.state is CaseState.ARCHIVED:
        return Refuse(
            "case_archived",
            "Laporan ini telah diarsipkan sehingga tidak dapat ditanggapi. / This report is archived and can't be replied to.",
        )
    return Refuse(
        "not_answered_yet",
        "Laporan ini masih menunggu verifikasi dan belum dijawab. / This report still waits for verification; there is no answer yet.",
    )
