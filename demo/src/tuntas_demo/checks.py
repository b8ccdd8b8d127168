"""What must hold at the end of every demo."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tuntas_contracts.vocabulary import CaseState
from tuntas_demo.api_client import Faults
from tuntas_demo.case_log import CaseLog
from tuntas_demo.counters import Counters
from tuntas_demo.summary import Check, Mails
from tuntas_operations.reconciliation.rounds import Result

_NO_ADDRESS = "no_email"
"""The one accepted reason for an undelivered notice: the reporter left a phone number only."""


def checks(
    *,
    reports: int,
    book: CaseLog,
    counters: Counters,
    figures: Mapping[str, Any],
    mails: Mails,
    mistakes: int,
    reconciliation: Result,
    parked: int,
    faults: Faults,
    deaths: Sequence[str],
) -> list[Check]:
    """Each with what was found."""
    states = book.states()
    counted = figures.get("reports", {"received": 0, "closed": 0, "archived": 0})
    archived, closed = states[CaseState.ARCHIVED], states[CaseState.CLOSED]
    others = {reason: number for reason, number in mails.undelivered.items() if reason != _NO_ADDRESS}
    missed = Counter({clock["clock"]: clock["met_late"] + clock["missed"] for clock in figures.get("clocks", [])})
    refused = counters.refused.total()
    sent = sum(mails.by_kind.values())
    return [
        Check("Every report was accepted", len(book) == reports, f"{len(book):,} of {reports:,}"),
        Check("Every report has a state", states.total() == reports, f"{states.total():,} of {reports:,}"),
        Check(
            "Accepted = published = owned by one service = delivered",
            reconciliation.clean and reconciliation.accepted == reports,
            f"{reconciliation.accepted:,} = {reconciliation.published:,} = {reconciliation.owned:,}, of which "
            f"{reconciliation.delivered:,} at agencies; {len(reconciliation.differences)} differences",
        ),
        Check(
            "The agencies' topics agree with the cases topic",
            counters.unpaired == 0,
            f"{counters.unpaired} steps are on one only",
        ),
        Check(
            "The public figures agree with the events",
            (counted["received"], counted["closed"], counted["archived"]) == (reports, closed, archived),
            f"received {counted['received']:,}, closed {counted['closed']:,}, archived {counted['archived']:,}",
        ),
        Check("Every missed deadline was published once", missed == counters.missed, _listed(missed) or "none was missed"),
        Check("Every mistake was refused with a reason", refused == mistakes, f"{refused} of {mistakes}"),
        Check(
            "Every notice was delivered once",
            mails.delivered == mails.distinct == sent and not others,
            f"{mails.delivered:,} mails for {sent:,} notices"
            + (
                f"; {mails.undelivered[_NO_ADDRESS]:,} reporters' notices without an e-mail address"
                if _NO_ADDRESS in mails.undelivered
                else ""
            )
            + (f"; given up: {others}" if others else ""),
        ),
        Check("There are no dead letters", parked == 0, f"{parked} messages"),
        Check("Every request was answered as it should be", faults.count == 0, f"{faults.count} faults"),
        Check("No part of the stack died", not deaths, "; ".join(deaths) or "none"),
    ]


def _listed(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in numbers.items() if number)
