"""Logs are JSON objects, one a line, whoever writes them; inside a span they name its trace."""

import json
import subprocess
import sys
from typing import Any

PROGRAM = """
import logging, sys
from opentelemetry.sdk.trace import TracerProvider
from tuntas_chassis.telemetry.logs import logger, setup_logs
setup_logs("intake", sys.argv[1])
log = logger("tuntas.test")
log.debug("too_quiet")
log.info("report_taken", case_id="c-1", amount=3, odd={1, 2}, text='two\\nlines "quoted" é')
tracer = TracerProvider().get_tracer("t")
with tracer.start_as_current_span("request") as span:
    log.warning("inside")
    logging.getLogger("a.library").error("a library says %s", "so")
    print(f"{span.get_span_context().trace_id:032x}", file=sys.stderr)
try:
    raise RuntimeError("broken")
except RuntimeError as error:
    log.error("failed", exc_info=error)
logging.getLogger("uvicorn.access").info("GET /v1/reports/TRACKING-ID")
logging.getLogger("httpx").info("HTTP Request")
"""


def _run(level: str = "info") -> tuple[list[dict[str, Any]], str]:
    """The log of a process of its own, since logging is a process's; and the trace id that it had."""
    result = subprocess.run([sys.executable, "-c", PROGRAM, level], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in result.stdout.splitlines()], result.stderr.strip()


def test_every_line_is_a_json_object_with_its_facts() -> None:
    lines, trace_id = _run()
    assert [line["event"] for line in lines] == ["report_taken", "inside", "a library says so", "failed"]
    taken, inside, library, failed = lines
    assert (taken["case_id"], taken["amount"], taken["text"]) == ("c-1", 3, 'two\nlines "quoted" é')
    assert {line["service"] for line in lines} == {"intake"}
    assert [line["level"] for line in lines] == ["info", "warning", "error", "error"]
    assert all(line["timestamp"].endswith("Z") for line in lines)
    assert (inside["trace_id"], library["trace_id"]) == (trace_id, trace_id)
    assert "trace_id" not in taken
    assert "RuntimeError: broken" in failed["exception"]


def test_the_level_is_the_one_that_is_set() -> None:
    assert [line["event"] for line in _run("error")[0]] == ["a library says so", "failed"]
    assert _run("debug")[0][0]["event"] == "too_quiet"


def test_addresses_of_requests_stay_out_of_the_log() -> None:
    assert not [line for line in _run("debug")[0] if "TRACKING-ID" in str(line) or "HTTP Request" in str(line)]
