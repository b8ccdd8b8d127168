"""How an agency learns that its command was refused: on its own cases topic, with the reason, under a quota."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from dispatch.domain.refusal_quota import RefusalQuota
from tuntas_chassis.clock import Clock
from tuntas_chassis.ids import derive_id
from tuntas_chassis.messaging.decoding import Undecodable, UnknownType
from tuntas_chassis.messaging.messages import Incoming, Outgoing
from tuntas_chassis.messaging.subscription import Record
from tuntas_chassis.set_aside_rows import count_set_aside, fault_of
from tuntas_chassis.telemetry.logs import logger
from tuntas_chassis.telemetry.metrics import MetricSet
from tuntas_contracts.agencies import ActionRefused, AgencyCommand
from tuntas_contracts.base import without_controls
from tuntas_contracts.refusal import Refusal, RefusalCode
from tuntas_contracts.topology import AGENCY_ACTIONS, AGENCY_CASES

SUMMARY = "refusal_summary"
_DETAIL_CHARS = 2_000
_log = logger(__name__)


class Refusals:
    """Makes `ActionRefused` messages."""

    def __init__(self, quota: RefusalQuota, clock: Clock, metrics: MetricSet) -> None:
        self._quota = quota
        self._clock = clock
        self._metrics = metrics
        count_set_aside(metrics, SUMMARY, 0)

    def of_command(self, message: Incoming, command: AgencyCommand, refusal: Refusal) -> Outgoing | None:
        """The answer to a command that its case does not allow; None where the agency's quota is used up."""
        return self._answer(
            ActionRefused(
                agency=AGENCY_ACTIONS.agency_of(message.topic),
                command_id=message.envelope.id,
                case_id=command.case_id,
                code=refusal.code,
                detail=without_controls(refusal.detail[:_DETAIL_CHARS]),
                position=f"{message.topic}/{message.partition}/{message.offset}",
                occurred_at=message.appended_at,
            ),
            cause=message.envelope.id,
        )

    def of_record(self, record: Record, error: Exception) -> Outgoing | None:
        """The answer to a record that can't be read or handled at all; None where the agency's quota is used up."""
        command_id = _uuid(dict(record.headers).get("ce_id"))
        if isinstance(error, UnknownType):
            code, detail = RefusalCode.UNKNOWN_TYPE, str(error)
        elif isinstance(error, Undecodable):
            code, detail = RefusalCode.INVALID_MESSAGE, str(error)
        else:
            _log.error("action_failed", topic=record.topic, offset=record.offset, error=type(error).__name__, exc_info=error)
            code, detail = RefusalCode.INTERNAL_ERROR, "an error of ours: nothing was changed; it is logged, and the operator is alerted"
        self._metrics.inc("tuntas_dispatch_refusals_total", code)
        try:
            at = self._clock.from_broker(record.timestamp)
        except (ValueError, OverflowError, OSError):  # a topic that takes its writer's time was given one that is none
            at = self._clock.now()
        return self._answer(
            ActionRefused(
                agency=AGENCY_ACTIONS.agency_of(record.topic),
                command_id=command_id,
                case_id=_uuid(record.key),
                code=code,
                detail=without_controls(detail[:_DETAIL_CHARS]),
                position=f"{record.topic}/{record.partition}/{record.offset}",
                occurred_at=at,
            ),
            # a record without an id of its own is named by where it lies; the append time makes it a UUIDv7
            cause=command_id or UUID(int=(record.timestamp & ((1 << 48) - 1)) << 80),
        )

    def summaries(self, at: datetime) -> Sequence[Outgoing]:
        """One answer per agency to all that was refused over its quota in minutes that are over.

        One that can't be made is set aside, counted and logged; the others go on.
        """
        made = []
        for overflow in self._quota.overflows():
            try:
                refused = ActionRefused(
                    agency=overflow.agency,
                    code=RefusalCode.QUOTA_EXCEEDED,
                    detail=without_controls(overflow.summary()[:_DETAIL_CHARS]),
                    position=overflow.first_position,
                    occurred_at=at,
                )
            except ValueError as error:
                self.set_aside(overflow.agency, error)
            else:
                made.append(_outgoing(refused, None))
        return made

    def set_aside(self, agency: str, error: Exception) -> None:
        """A summary that can't be made or written: it is given up, and said so."""
        count_set_aside(self._metrics, SUMMARY, 1)
        _log.error("refusal_summary_set_aside", agency=agency, why=fault_of(error))

    def _answer(self, refused: ActionRefused, cause: UUID) -> Outgoing | None:
        if not self._quota.admit(refused.agency, refused.code, refused.position):
            self._metrics.inc("tuntas_dispatch_refusals_withheld_total")
            return None
        return _outgoing(refused, derive_id(cause, refused.position, "ActionRefused"))


def _outgoing(refused: ActionRefused, message_id: UUID | None) -> Outgoing:
    key = str(refused.case_id) if refused.case_id else refused.agency
    return Outgoing(AGENCY_CASES.for_agency(refused.agency), key, refused, refused.occurred_at, message_id)


def _uuid(raw: bytes | None) -> UUID | None:
    try:
        return UUID(raw.decode()) if raw else None
    except ValueError:
        return None
