"""What an agency does with its cases: decided once, in the words of the contracts, whichever way the agency then goes."""

from collections.abc import Mapping
from uuid import UUID

from dispatch.domain.register import Register
from tuntas_contracts.agencies import AcceptCase, AgencyCommand, AnswerCase, HandleCase, RecordFollowUp, ReturnCase
from tuntas_contracts.vocabulary import UnitKind
from tuntas_demo.case_log import PlayedCase
from tuntas_demo.corpus.behaviour import Act, AgencyCharacter, AgencyDecision, LiaisonDecision, agency_character
from tuntas_demo.corpus.behaviour import agency_decision as decided_by_agency
from tuntas_demo.corpus.behaviour import liaison_decision as decided_by_liaison

PATHS: Mapping[type[AgencyCommand], str] = {
    AcceptCase: "accept",
    HandleCase: "handle",
    ReturnCase: "return",
    RecordFollowUp: "follow-up",
    AnswerCase: "answer",
}
"""The last part of the path by which officers do over HTTP what the command asks for."""


class AgencyCommands:
    """Commands for cases, and when they are given."""

    def __init__(self, register: Register, seed: int) -> None:
        self._register = register
        self._seed = seed
        self._characters: dict[str, AgencyCharacter] = {}

    def has_own_system(self, agency: str) -> bool:
        """Whether the agency acts through Kafka by its own application; the officers of the others act over HTTP."""
        if agency not in self._characters:
            self._characters[agency] = agency_character(self._seed, agency)
        return self._characters[agency].own_system

    def decision(self, case: PlayedCase, agency: str) -> AgencyDecision:
        """What the administrator of that agency makes of the case."""
        return decided_by_agency(self._seed, case.number, agency, case.report.behaviour)

    def liaison(self, case: PlayedCase, agency: str) -> LiaisonDecision:
        """When the officer in charge at that agency acts."""
        return decided_by_liaison(self._seed, case.number, agency, case.report.behaviour)

    def verification(self, case: PlayedCase) -> AgencyCommand:
        """Accept, handle or return. What deserves the archive is returned: only the centre can archive it."""
        decision, case_id = self.decision(case, case.agency or ""), UUID(case.case_id)
        if decision.act in (Act.RETURN, Act.ARCHIVE) and not case.arbitrated:
            reasons = case.report.expected.return_reasons
            return ReturnCase(case_id=case_id, reason=reasons[case.bounces % len(reasons)])
        kind = HandleCase if decision.act is Act.HANDLE else AcceptCase
        return kind(
            case_id=case_id,
            unit=self._unit(case),
            normative=decision.normative,
            supervision_content=decision.supervision_content,
            field_inspection=decision.field_inspection,
        )

    def follow_up(self, case: PlayedCase) -> AgencyCommand:
        """The first follow-up."""
        return RecordFollowUp(case_id=UUID(case.case_id), note=case.report.expected.follow_ups[0])

    def answer(self, case: PlayedCase) -> AgencyCommand:
        """The next answer."""
        answers = case.report.expected.answers
        return AnswerCase(
            case_id=UUID(case.case_id),
            answer=answers[min(case.answers, len(answers) - 1)],
            evidence=(f"berita-acara-{case.number:05d}.pdf",) if case.number % 3 == 0 else (),
        )

    def _unit(self, case: PlayedCase) -> str:
        expected, agency = case.report.expected, self._register.get(case.agency or "")
        codes = [unit.code for unit in agency.units]
        if expected.unit in codes:
            return expected.unit
        desk = [unit.code for unit in agency.units if unit.kind is UnitKind.SERVICE_DESK]
        return (desk or codes)[0]
