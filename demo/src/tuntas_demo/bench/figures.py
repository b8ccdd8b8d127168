"""The figures of a run, as JSON for programs and as tables for people."""

from rich.console import Console
from rich.table import Table

from tuntas_demo.bench.measure import Measurement
from tuntas_demo.bench.raw import RawMeasurement


def as_json_object(full: Measurement, paced: Measurement, raw: RawMeasurement | None) -> dict[str, object]:
    """One object. Latency percentiles (`p50_s` …) are from HTTP to agency topic in the paced run."""
    p50, p95, p99 = paced.hops["on_agency_topic"]
    return {
        "reports": full.reports,
        "reports_per_s": round(full.reports_per_s, 1),
        "cpu_ms_per_report": round(full.cpu_ms_per_report, 3),
        "cpu_ms_by_process": full.cpu_ms_by_process,
        "memory_mb_by_process": full.memory_mb_by_process,
        "paced_reports_per_s": round(paced.reports_per_s, 1),
        "p50_s": p50,
        "p95_s": p95,
        "p99_s": p99,
        "hops_s": {hop: dict(zip(("p50", "p95", "p99"), values, strict=True)) for hop, values in paced.hops.items()},
        "errors": full.errors + paced.errors,
        "raw_reports_per_s": round(raw.reports_per_s, 1) if raw else None,
        "raw_cpu_ms_per_report": raw.cpu_ms_per_report if raw else None,
        "raw_ratio": round(full.cpu_ms_per_report / raw.cpu_ms_per_report, 2) if raw else None,
    }


def print_figures(full: Measurement, paced: Measurement, raw: RawMeasurement | None) -> None:
    """Tables."""
    console = Console()
    console.print(
        f"[bold]{full.reports_per_s:,.0f} reports/s[/] from HTTP to agency topic, clocks armed, notices queued "
        f"({full.reports:,} reports in {full.seconds:.1f} s); [bold]{full.cpu_ms_per_report:.2f} CPU-ms[/] a report over all processes"
    )
    if raw:
        console.print(
            f"raw pipeline in the same run: {raw.reports_per_s:,.0f} reports/s, {raw.cpu_ms_per_report:.2f} CPU-ms a report; "
            f"the platform costs {full.cpu_ms_per_report / raw.cpu_ms_per_report:.1f} times as much"
        )
    costs = Table("process", "CPU-ms a report", "memory MB", box=None, pad_edge=False)
    for name, cost in sorted(full.cpu_ms_by_process.items(), key=lambda item: -item[1]):
        costs.add_row(name, f"{cost:.3f}", f"{full.memory_mb_by_process.get(name, 0):.0f}")
    console.print(costs)
    console.print(f"latency at {paced.reports_per_s:,.0f} reports/s, seconds from the moment a report was due to be sent")
    hops = Table("hop", "p50", "p95", "p99", box=None, pad_edge=False)
    for hop, values in paced.hops.items():
        hops.add_row(hop.replace("_", " "), *(f"{v:.3f}" for v in values))
    console.print(hops)
    if full.errors + paced.errors:
        console.print(f"[red]{full.errors + paced.errors:,} requests failed[/]")
