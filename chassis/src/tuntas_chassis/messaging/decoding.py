"""From a record to a message of a known type, or to the reason why not."""

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from pydantic import ValidationError

from tuntas_chassis.clock import Clock
from tuntas_chassis.messaging.messages import Incoming
from tuntas_chassis.messaging.subscription import Record
from tuntas_chassis.strict_json import fault_of_json
from tuntas_chassis.telemetry.tracing import is_traceparent
from tuntas_contracts.agencies import AgencyCommand
from tuntas_contracts.base import Contract, InputEvent
from tuntas_contracts.envelope import MAX_HEADERS, TYPE_PREFIX, Envelope, EnvelopeError

_PREFIX = TYPE_PREFIX.encode()


class Undecodable(ValueError):
    """A record that can't be read as a message of ours; says why."""


class UnknownType(Undecodable):
    """A valid envelope of a type that this consumer does not take."""


class Decoded(NamedTuple):
    """A record with the message in it, or the fault; both None where it is of no interest (`type_name` says what it was).

    `catching_up`: it was on the topic before this process began to read it.
    """

    record: Record
    type_name: str
    state_key: str | None = None
    incoming: Incoming | None = None
    fault: Exception | None = None
    catching_up: bool = False

    @property
    def handled_id(self) -> UUID | None:
        """The id under which an input or command is answered at most once, whatever record brings it."""
        if self.incoming is None:
            return None
        body = self.incoming.body
        if isinstance(body, InputEvent):
            return body.input_id
        return self.incoming.id if isinstance(body, AgencyCommand) else None


def record_type(record: Record) -> tuple[str, str]:
    """The type (without prefix) and source that the headers name, before anything is decoded; empty where they name none of ours."""
    kind = source = b""
    for header, value in record.headers:
        if header == "ce_type":
            kind = value or b""
        elif header == "ce_source":
            source = value or b""
    name = kind.removeprefix(_PREFIX)
    ours = len(name) < len(kind) and name.isalnum()
    return name.decode("ascii") if ours else "", source.decode(errors="replace")


def record_key(record: Record) -> str | None:
    """The key as text, or None where there is none that can be read."""
    try:
        return record.key.decode() if record.key else None
    except UnicodeDecodeError:
        return None


def decode(
    record: Record,
    types: Mapping[str, type[Contract]],
    clock: Clock,
    *,
    catching_up: bool,
    replayed: bool,
    held: bool = False,
    writer: str = "",
) -> Incoming:
    """The message in a record; raises Undecodable. `writer` is who alone writes its topic, where that is somebody else."""
    if len(record.headers) > MAX_HEADERS:
        raise Undecodable(f"it has {len(record.headers)} headers; {MAX_HEADERS} at most are read")
    try:
        envelope = Envelope.read(record.headers)
    except EnvelopeError as error:
        raise Undecodable(f"not a CloudEvents 1.0 message: {error}") from error
    if envelope.traceparent and not is_traceparent(envelope.traceparent):
        envelope = envelope._replace(traceparent="")  # as W3C says: a traceparent that can't be read is none
    if record.value is None:
        raise Undecodable("the record has no value")
    kind = types.get(envelope.type)
    if kind is None:
        raise UnknownType(f"type {envelope.type[:80]!r} is not taken here; known: {', '.join(sorted(types))}")
    if writer and (fault := fault_of_json(record.value)):  # what others write must be one thing for every reader
        raise Undecodable(f"the JSON is refused: {fault}")
    try:
        body = kind.model_validate_json(record.value)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}" for e in error.errors(include_input=False)[:5])
        raise Undecodable(f"not a valid {envelope.type}: {faults}") from None
    try:
        appended_at = clock.from_broker(record.timestamp)
    except (ValueError, OverflowError, OSError) as error:
        raise Undecodable(f"the record's timestamp {record.timestamp} ms is no time") from error
    return Incoming(
        envelope=envelope,
        key=record_key(record) or "",
        body=body,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        appended_at=appended_at,
        catching_up=catching_up,
        replayed=replayed,
        held=held,
        writer=writer,
    )
