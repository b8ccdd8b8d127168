"""docs/lifecycle.md: the state diagram, the table of transitions, the matrix of clocks and who may do what; and what of it is planned."""

from collections.abc import Iterable, Sequence

from tuntas_contracts.lifecycle import CLOCKS, TRANSITIONS, ClockRow, TransitionRow, owners_of, possible
from tuntas_contracts.refusal import RefusalCode
from tuntas_contracts.vocabulary import CaseState, Role, Transition

_HEAD = """# The life of a case
Made from [lifecycle.py](../contracts/src/tuntas_contracts/lifecycle.py) by `make generate`; change it there.
What is *planned* belongs to a later release.

## States and transitions
"""


def page() -> str:
    """The text of the page."""
    parts = [
        _HEAD + "```mermaid\n" + "\n".join(_diagram()) + "\n```",
        "A case whose target is *before* goes back to the state that it had.",
        _table(("#", "what", "from", "to", "owner after", "asked by", "event", "asked beside", ""), map(_row, TRANSITIONS.values())),
        "## Clocks\nWhat each transition does to each clock that runs.",
        _table(("clock", "measures", "starts", "meets", "stops", "pauses", "resumes", ""), map(_clock_row, CLOCKS.values())),
        "## Who may ask for what\nIn this release, by the state of the case.",
        _table(("role", *CaseState), _roles()),
        "## Why a command or input is refused\nThe codes of `ActionRefused`, `InputRefused` and HTTP 409. More may come.",
        _table(("code", "meaning"), ((f"`{code}`", code.meaning) for code in RefusalCode)),
    ]
    return "\n\n".join(parts) + "\n"


def planned() -> str:
    """The transitions and clocks of later releases, for the README."""
    transitions = ", ".join(f"{row.number} *{row.verb}*" for row in TRANSITIONS.values() if row.planned)
    further = ", ".join(
        f"{row.number} from {' and '.join(sorted(row.planned_sources))}" for row in TRANSITIONS.values() if row.planned_sources
    )
    clocks = ", ".join(f"{row.number} *{row.measures}*" for row in CLOCKS.values() if row.planned)
    return f"- **Transitions**: {transitions}; {further}.\n- **Clocks**: {clocks}."


def _diagram() -> Iterable[str]:
    yield "stateDiagram-v2"
    for row in TRANSITIONS.values():
        if row.planned:
            continue
        for source in [*map(str, sorted(row.possible_from))] or ["[*]"]:
            yield f"  {source} --> {row.target}: {row.number} {row.verb}"


def _row(row: TransitionRow) -> Sequence[str]:
    sources = [f"{state} (planned)" if state in row.planned_sources else state for state in CaseState if state in row.sources]
    return (
        row.number,
        row.verb,
        ", ".join(sources) or "–",
        row.target or "*before*",
        row.owner or "*before*",
        f"{', '.join(role for role in Role if role in row.roles) or 'time'} by `{row.asked_by}`",
        f"`{row.event}`",
        ", ".join(row.guards).replace("_", " "),
        "planned" if row.planned else "",
    )


def _clock_row(row: ClockRow) -> Sequence[str]:
    effects = (row.starts, row.meets, row.stops, row.pauses, row.resumes)
    cells = [", ".join(number for number in Transition if number in effect) for effect in effects]
    return row.number, row.measures, *cells, "planned" if row.planned else ""


def _roles() -> Iterable[Sequence[str]]:
    for role in Role:
        cells = [", ".join(row.verb for owner in owners_of(state) for row in possible(state, owner, role)) for state in CaseState]
        if any(cells):
            yield role, *cells


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
