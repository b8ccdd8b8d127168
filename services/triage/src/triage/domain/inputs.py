"""Who takes an input of a reporter or of time, and what triage answers."""

from dataclasses import dataclass

from triage.domain.case import Case
from tuntas_contracts.base import InputEvent
from tuntas_contracts.cases import WindowElapsed
from tuntas_contracts.refusal import RefusalCode
from tuntas_contracts.vocabulary import CaseState, Service


@dataclass(frozen=True, slots=True)
class PassOver:
    """Another service is responsible, or nobody need do anything."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Triage is responsible, but an event that answers it may lie further on: decide when the topic has been read up."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """Triage was responsible when the input came, but something of its own lies or will lie behind it: repeat it behind that."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Triage owns the case and can't act: `code` for programs, `detail` for the reporter (Indonesian, then English)."""

    code: RefusalCode
    detail: str


Verdict = PassOver | Hold | Repeat | Refuse


def take(case: Case, body: InputEvent, *, catching_up: bool, held: bool = False) -> Verdict:
    """Who takes the input.

    `catching_up`: the topic may hold decisions that this database has lost, or has made long ago. To answer now could contradict them.
    `held`: it was held meanwhile, so triage was responsible at its place, and nothing on the topic answers it.
    Triage has a case only before an agency has it or after it was archived. There is no answer to reply to or to confirm, so it refuses
    what reporters send; and no window runs that could elapse, which concerns no reporter and is ignored.
    """
    if isinstance(body, WindowElapsed):
        return PassOver()
    if case.topic_owner is not Service.TRIAGE:
        return Repeat() if held else PassOver()
    if catching_up:
        return Hold()
    if not case.owned:
        return Repeat()
    if case.state is CaseState.ARCHIVED:
        return Refuse(
            RefusalCode.CASE_ARCHIVED,
            "Laporan ini telah diarsipkan sehingga tidak dapat ditanggapi. / This report is archived and can't be replied to.",
        )
    return Refuse(
        RefusalCode.NOT_ANSWERED,
        "Laporan ini masih menunggu verifikasi dan belum dijawab. / This report still waits for verification; there is no answer yet.",
    )
