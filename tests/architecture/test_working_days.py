"""Working days are counted in one place: the calendar in the contracts, with its holidays and collective leave."""

import ast
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
CALENDAR = "reference/src/tuntas_reference/calendar.py"
NAMES_OF_DAYS = "services/notifier/src/notifier/domain/dates.py"  # "Senin", "Selasa" in mails: no counting


def test_nobody_else_counts_monday_to_friday() -> None:
    asking = {
        str(file.relative_to(CHECKOUT))
        for folder in ("contracts", "reference", "chassis", "services")
        for file in (CHECKOUT / folder).rglob("*.py")
        if any(isinstance(n, ast.Attribute) and n.attr in ("weekday", "isoweekday") for n in ast.walk(ast.parse(file.read_text())))
    }
    assert asking == {CALENDAR, NAMES_OF_DAYS}
