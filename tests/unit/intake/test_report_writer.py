"""What the database says of a report that it does not take."""

from typing import Any, cast

import pytest
from sqlalchemy.exc import IntegrityError

from intake.adapters.reports import ReportWriter
from intake.application.errors import TrackingIdTaken
from tests.unit.intake.builders import NOON, Desk, a_request


class Unique:
    """A connection on which every statement breaks one constraint."""

    def __init__(self, constraint: str) -> None:
        self._constraint = constraint

    async def execute(self, *_statement: object) -> None:
        raise IntegrityError("INSERT", {}, Exception(f'duplicate key value violates unique constraint "{self._constraint}"'))


@pytest.mark.parametrize(("constraint", "error"), [("report_tracking_id_key", TrackingIdTaken), ("report_pkey", IntegrityError)])
async def test_only_a_tracking_id_that_is_taken_is_an_error_of_the_use_case(constraint: str, error: type[Exception]) -> None:
    desk = Desk()
    await desk.submissions.submit(a_request(), None, None)
    with pytest.raises(error):
        await ReportWriter(cast("Any", None)).write(cast("Any", Unique(constraint)), desk.file.reports, NOON)
