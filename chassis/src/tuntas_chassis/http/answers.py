"""Bounds of what services answer over HTTP: wider than those of whatever is stored, so that all of it can be shown."""

from datetime import UTC, date, datetime
from typing import Annotated, Final

from pydantic import Field

MAX_TOTAL: Final = 2**63 - 1  # PostgreSQL's bigint
MAX_DAYS: Final = 100_000.0
EARLIEST_DAY: Final = date(1900, 1, 1)
LATEST_DAY: Final = date(2300, 1, 1)

Code = Annotated[str, Field(max_length=200)]
"""A code, a name of a state, an id in letters."""
Line = Annotated[str, Field(max_length=2_000)]
"""A name, an address, a reason in one line."""
Prose = Annotated[str, Field(max_length=20_000)]
"""What somebody wrote."""
Cursor = Annotated[str, Field(max_length=500)]
Moment = Annotated[datetime, Field(ge=datetime(1900, 1, 1, tzinfo=UTC), lt=datetime(2300, 1, 1, tzinfo=UTC))]
Day = Annotated[date, Field(ge=EARLIEST_DAY, lt=LATEST_DAY)]
Total = Annotated[int, Field(ge=0, le=MAX_TOTAL)]
MeanDays = Annotated[float, Field(ge=0, le=MAX_DAYS, allow_inf_nan=False)]

MAX_PAGE: Final = 1_000
"""Members of one page."""
MAX_FEW: Final = 400
"""What one thing has some of: days of a year, units of an agency, kinds of a thing."""
MAX_MANY: Final = 100_000
"""What one case has of events, or a register of agencies."""
