"""Amounts of rupiah as people write them."""

import re

_AMOUNT = re.compile(r"(?P<number>\d[\d.]*(?:,\d+)?)\s*(?P<unit>juta|ribu|rb|jt)?", re.IGNORECASE)
_FACTOR = {"juta": 1_000_000, "jt": 1_000_000, "ribu": 1_000, "rb": 1_000}
_SMALLEST = 1_000


def rupiah(text: str) -> int | None:
    """The first amount in the text in whole rupiah: `Rp 1.250.000`, `750 ribu`, `4,2 juta`; None where there is none."""
    for match in _AMOUNT.finditer(text):
        unit = match["unit"]
        number = float(match["number"].rstrip(".").replace(".", "").replace(",", "."))
        amount = round(number * _FACTOR[unit.lower()]) if unit else round(number)
        if amount >= _SMALLEST:
            return amount
    return None
