"""`python -m tuntas_tools.observability generate | check | test`; ends with 1 where something is to be done.

`generate` writes rules, their tests, PrometheusRules, Grafana's dashboards and docs/metrics.md; `check` says which are out of date;
`test` runs promtool on the rules, their tests and the dashboards' queries.
"""

import argparse
import sys
from pathlib import Path

from tuntas_operations.errors import StackError
from tuntas_tools.contracts.checkout import Checkout, NotACheckout
from tuntas_tools.observability import generated
from tuntas_tools.observability.dashboards.loader import read_dashboards
from tuntas_tools.observability.promtool import check_queries, check_rules, run_tests, unit_tests


def main(arguments: list[str] | None = None) -> int:
    """Run one command; gives the exit status."""
    parser = argparse.ArgumentParser(prog="tuntas_tools.observability", description=__doc__)
    parser.add_argument("command", choices=("generate", "check", "test"))
    parser.add_argument("--root", type=Path, default=Path(), help="a folder in the checkout (default: here)")
    told = parser.parse_args(arguments)
    commands = {"generate": _generate, "check": _check, "test": _test}
    try:
        return commands[told.command](Checkout.around(told.root).root)
    except (NotACheckout, StackError) as error:
        print(error, file=sys.stderr)
        return 1


def _generate(root: Path) -> int:
    written = generated.generate(root)
    for path in written:
        print(f"wrote {path.relative_to(root)}")
    if not written:
        print("everything generated is up to date")
    return 0


def _check(root: Path) -> int:
    faults = generated.differences(root)
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def _test(root: Path) -> int:
    faults = [fault for fault in (check_rules(root), check_queries(read_dashboards(root)), *map(run_tests, unit_tests(root))) if fault]
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
