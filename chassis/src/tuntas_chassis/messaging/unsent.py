"""What of a service's own outbox has not reached its topic yet, in the outbox or set aside."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_LAST_UNSENT = text(
    "SELECT greatest((SELECT max(id) FROM outbox WHERE topic = ANY(CAST(:topics AS text[]))), "
    "(SELECT max(id) FROM outbox_set_aside WHERE topic = ANY(CAST(:topics AS text[]))))"
)
_IS_UNSENT = text(
    "SELECT EXISTS (SELECT 1 FROM outbox WHERE topic = ANY(CAST(:topics AS text[])) AND id <= :last) "
    "OR EXISTS (SELECT 1 FROM outbox_set_aside WHERE topic = ANY(CAST(:topics AS text[])) AND id <= :last)"
)


async def last_unsent(connection: AsyncConnection, topics: Sequence[str]) -> int | None:
    """The outbox's highest id for these topics; None where nothing waits."""
    last: int | None = await connection.scalar(_LAST_UNSENT, {"topics": list(topics)})
    return last


async def is_unsent(connection: AsyncConnection, topics: Sequence[str], last: int) -> bool:
    """Whether something for these topics waits that was written up to the id `last`."""
    return bool(await connection.scalar(_IS_UNSENT, {"topics": list(topics), "last": last}))
