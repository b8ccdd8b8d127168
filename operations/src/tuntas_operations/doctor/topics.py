"""The topics, as `tuntas ops topics plan` sees them."""

from collections import defaultdict

from tuntas_operations.cluster_topics import ClusterTopics
from tuntas_operations.doctor.findings import Finding, not_checked, ok, wrong
from tuntas_operations.errors import StackError
from tuntas_operations.installation import Installation
from tuntas_operations.register import read_register
from tuntas_operations.topic_plan import Change, Kind

_SHOWN = 3
_WORDS: dict[Kind, str] = {
    "missing": "missing",
    "unseen": "hidden from this user",
    "partitions": "with another number of partitions than the topology says",
    "setting": "with other settings than the topology says",
}


def topics(installation: Installation) -> list[Finding]:
    """One finding for each kind of difference that keeps messages from passing or being kept."""
    about = "topics"
    try:
        compared = ClusterTopics(installation).compare(read_register(installation))
    except StackError as error:
        return [not_checked(about, str(error))]
    by_kind: dict[Kind, list[Change]] = defaultdict(list)
    for change in compared.changes:
        by_kind[change.kind].append(change)
    found = [
        wrong(about, f"{_names(by_kind[kind])} {word}", "`tuntas ops topics plan` says more, `tuntas ops topics apply` makes it good")
        for kind, word in _WORDS.items()
        if by_kind[kind]
    ]
    return found or [ok(about, f"all {len(compared.wanted):,} are there, with their partitions and settings")]


def _names(changes: list[Change]) -> str:
    names = list(dict.fromkeys(change.topic for change in changes))
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more} {'is' if len(names) == 1 else 'are'}"
