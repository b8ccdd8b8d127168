"""The message part of the AsyncAPI documents: envelope, key, payload and example of each type."""

import inspect
from typing import Any

from tuntas_contracts.base import Contract
from tuntas_contracts.envelope import TYPE_PREFIX
from tuntas_tools.contracts.examples import GoldenExample

SCHEMAS: dict[str, Any] = {
    "Envelope": {
        "type": "object",
        "description": "CloudEvents 1.0 in Kafka's binary mode. All values are UTF-8 text.",
        "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time"],
        "properties": {
            "ce_specversion": {"const": "1.0"},
            "ce_id": {"type": "string", "format": "uuid", "description": "The same id again is the same message. Ours are UUIDv7."},
            "ce_source": {"type": "string", "description": "The service, or for an agency's commands a name of its own system."},
            "ce_type": {"type": "string", "description": f"The message type after {TYPE_PREFIX}"},
            "ce_subject": {"type": "string", "description": "The record key again."},
            "ce_time": {"type": "string", "format": "date-time", "description": "The business time, with its offset from UTC."},
            "content-type": {"const": "application/json"},
            "traceparent": {
                "type": "string",
                "pattern": "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
                "description": "W3C trace context.",
            },
        },
    }
}
_KEYS: dict[str, dict[str, Any]] = {
    "case id": {"type": "string", "format": "uuid", "description": "The case id: all messages of one case are on one partition."},
    "none": {"type": "null", "description": "None: a copy is written to a partition of each broker."},
    "agency code": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{1,38}$", "description": "The agency's code in the register."},
}


def message_of(kind: type[Contract], key: str, example: GoldenExample | None) -> dict[str, Any]:
    """The message object of a type. `key` is the topic's word for its key; the golden example is shown if there is one."""
    text = inspect.cleandoc(kind.__doc__ or "")
    summary, _, rest = text.partition("\n\n")
    message: dict[str, Any] = {"name": kind.__name__, "title": kind.__name__, "summary": " ".join(summary.split())}
    if rest:
        message["description"] = rest
    message |= {
        "contentType": "application/json",
        "headers": {
            "allOf": [
                {"$ref": "#/components/schemas/Envelope"},
                {"type": "object", "properties": {"ce_type": {"const": TYPE_PREFIX + kind.__name__}}},
            ]
        },
        "payload": {"$ref": f"../schemas/{kind.__name__}.json"},
        "bindings": {"kafka": {"key": _KEYS[key], "bindingVersion": "0.5.0"}},
    }
    if example is not None:
        message["examples"] = [{"name": example.name, "headers": example.headers, "payload": example.data}]
    return message
