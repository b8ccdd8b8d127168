"""Structured logs: one JSON object a line on standard output, with the trace it belongs to and never a person."""

import logging
import sys

import structlog
from opentelemetry import trace


def _add_trace(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = f"{context.trace_id:032x}"
    return event


def _drop_colours(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Without uvicorn's second copy of its message, which has a terminal's escapes in it."""
    event.pop("color_message", None)
    return event


def setup_logs(service: str, level: str) -> None:
    """Send structlog's and the standard library's logs through one JSON formatter."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        _drop_colours,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    structlog.contextvars.bind_contextvars(service=service)
    # aiokafka and httpx log every heartbeat and request; uvicorn's access log would hold tracking ids
    for chatty in ("aiokafka", "httpx", "httpcore", "uvicorn.access", "faststream", "alembic.runtime.migration"):
        logging.getLogger(chatty).setLevel("WARNING")
    logging.getLogger("aiokafka.consumer.group_coordinator").addFilter(_is_no_refused_offset)


def _is_no_refused_offset(record: logging.LogRecord) -> bool:
    """A rebalance logs every partition's refused offset as an error. Those offsets only show the lag: the database has ours."""
    return not str(record.msg).startswith("OffsetCommit failed")


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger; events are short names, facts are fields."""
    found: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return found
