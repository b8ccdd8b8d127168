"""One trace over HTTP, outbox and Kafka: sampled once, continued everywhere, written where configured."""

import json
from collections.abc import Iterator
from pathlib import Path
from time import time_ns
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.trace import SpanKind

from tests.unit.chassis.builders import A_TRACE, settings
from tuntas_chassis.telemetry.tracing import Tracing, current_traceparent, is_sampled, is_traceparent

UNSAMPLED = A_TRACE[:-2] + "00"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "spans.jsonl"


@pytest.fixture
def tracing(file: Path) -> Iterator[Tracing]:
    made = Tracing("intake", settings(trace_file=file, trace_ratio=1))
    yield made
    made.close()


def _read(file: Path, tracing: Tracing) -> dict[str, dict[str, Any]]:
    """Spans by name, once everything is written."""
    tracing.close()
    return {span["name"]: span for span in map(json.loads, file.read_text("utf-8").splitlines())} if file.exists() else {}


@pytest.mark.parametrize(("flags", "sampled"), [("00", False), ("01", True), ("02", False), ("03", True), ("ff", True), ("10", False)])
def test_the_lowest_flag_bit_says_whether_a_trace_is_recorded(flags: str, sampled: bool) -> None:
    assert is_sampled(A_TRACE[:-2] + flags) is sampled


@given(st.text(max_size=60) | st.from_regex(r"[0-9a-f]{2}-[0-9a-f]{30,33}-[0-9a-f]{15,17}-[0-9a-g]{2}", fullmatch=True))
def test_any_traceparent_can_be_examined(text: str) -> None:
    assert is_sampled(text) in (True, False)
    assert not is_sampled(text) or is_traceparent(text)


def test_a_finished_child_continues_the_trace_and_gives_what_follows_from_it(tracing: Tracing, file: Path) -> None:
    start = time_ns()
    following = tracing.child("process A", SpanKind.CONSUMER, A_TRACE, start, start + 5_000, case="x")
    after = tracing.child("process B", SpanKind.CONSUMER, following, start + 6_000, start + 7_000)
    spans = _read(file, tracing)
    first, second = spans["process A"], spans["process B"]
    assert {first["trace_id"], second["trace_id"]} == {"ab" * 16}
    assert (first["parent_id"], second["parent_id"]) == ("cd" * 8, first["span_id"])
    assert following == f"00-{'ab' * 16}-{first['span_id']}-01"
    assert after.split("-")[2] == second["span_id"]
    assert (first["end_ns"] - first["start_ns"], first["kind"], first["attributes"]) == (5_000, "CONSUMER", {"case": "x"})


@pytest.mark.parametrize("parent", ["", UNSAMPLED, "malformed"])
def test_the_parent_of_an_unrecorded_trace_is_passed_on(tracing: Tracing, file: Path, parent: str) -> None:
    assert tracing.child("process", SpanKind.CONSUMER, parent, 0, 1) == parent
    assert _read(file, tracing) == {}


def test_a_span_is_current_inside_its_block_only(tracing: Tracing, file: Path) -> None:
    assert current_traceparent() == ""
    with tracing.span("outer", SpanKind.SERVER) as outer:
        inside = current_traceparent()
        with tracing.span("inner", SpanKind.INTERNAL):
            pass
    assert current_traceparent() == ""
    spans = _read(file, tracing)
    assert inside.split("-")[2] == f"{outer.get_span_context().span_id:016x}" == spans["inner"]["parent_id"]
    assert spans["outer"]["parent_id"] is None
    assert spans["inner"]["trace_id"] == spans["outer"]["trace_id"]


def test_an_error_marks_its_span_by_kind_and_never_by_what_it_says(tracing: Tracing, file: Path) -> None:
    with pytest.raises(ValueError, match="Siti"), tracing.span("mail", SpanKind.CLIENT):
        raise ValueError("Siti Nurhaliza <siti@surat.example> was refused")
    span = _read(file, tracing)["mail"]
    assert (span["status"], span["attributes"]) == ("ERROR", {"error.type": "ValueError"})
    assert "iti" not in file.read_text("utf-8")


@pytest.mark.parametrize(("ratio", "recorded"), [(0, 0), (1, 20)])
def test_the_ratio_decides_for_traces_that_begin_here(file: Path, ratio: float, recorded: int) -> None:
    tracing = Tracing("intake", settings(trace_file=file, trace_ratio=ratio))
    for n in range(20):
        with tracing.span(f"span {n}", SpanKind.SERVER):
            pass
    assert len(_read(file, tracing)) == recorded


def test_a_trace_recorded_elsewhere_is_recorded_here_too_and_another_is_not(file: Path) -> None:
    tracing = Tracing("triage", settings(trace_file=file, trace_ratio=0))
    for name, parent in (("recorded", A_TRACE), ("not recorded", UNSAMPLED)):
        with tracing.span(name, SpanKind.SERVER, parent):
            pass
    assert _read(file, tracing).keys() == {"recorded"}


def test_two_processes_may_write_one_file(file: Path) -> None:
    both = [Tracing(service, settings(trace_file=file, trace_ratio=1)) for service in ("intake", "triage")]
    for tracing in both:
        with tracing.span("report “Jalan rusak”\n", SpanKind.SERVER, n=1, text='"quoted"'):
            pass
    for tracing in both:
        tracing.close()
    spans = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert [span["service"] for span in spans] == ["intake", "triage"]
    assert {span["name"] for span in spans} == {"report “Jalan rusak”\n"}


def test_without_a_destination_nothing_is_kept_but_the_trace_continues(tmp_path: Path) -> None:
    tracing = Tracing("intake", settings(trace_ratio=1))
    assert not tracing.enabled
    with tracing.span("server", SpanKind.SERVER, A_TRACE):
        assert current_traceparent().startswith(f"00-{'ab' * 16}-")
    tracing.close()
    assert list(tmp_path.iterdir()) == []
