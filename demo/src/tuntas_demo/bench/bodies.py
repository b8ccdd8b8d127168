"""What the benchmark sends: realistic reports, each addressed to an agency."""

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from dispatch.domain.register import load_register
from tuntas_demo.corpus.generator import reports
from tuntas_reference.profile import load_profile

_DISTINCT = 1_500
_SEED = 2019


def bodies(agencies: Sequence[str], count: int) -> list[bytes]:
    """`count` JSON bodies: texts of the corpus in turn, agencies skewed as real traffic is.

    Without reports that stay at the centre or go by a fast track, so that each takes the same way.
    """
    start = (datetime.now(UTC) - timedelta(days=6)).date()
    profile = load_profile()
    texts = [
        r.request()
        for r in reports(_SEED, _DISTINCT, load_register(), start=start)
        if not r.entered_by_clerk
        and not r.payload.misconduct
        and not (r.payload.anonymous and r.payload.secret)
        and profile.fast_track(r.payload.category, r.payload.title, r.payload.body) is None
    ]
    chosen = _skewed(agencies, count)
    return [
        json.dumps({**_without_agency(texts[n % len(texts)]), "addressed_agency": agency}, ensure_ascii=False).encode()
        for n, agency in enumerate(chosen)
    ]


def _without_agency(text: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in text.items() if name != "suggested_agency"}


def _skewed(agencies: Sequence[str], count: int) -> list[str]:
    """The r-th agency gets a share like 1/r."""
    chance = random.Random(_SEED)
    shuffled = list(agencies)
    chance.shuffle(shuffled)
    return chance.choices(shuffled, weights=[1 / rank for rank in range(1, len(shuffled) + 1)], k=count)
