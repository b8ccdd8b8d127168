"""An operator's command whose database is not there yet: it waits for a while, says so once, and gives up in a sentence."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final, TypeVar

from tuntas_chassis.persistence.database import is_transient
from tuntas_chassis.telemetry.logs import logger

T = TypeVar("T")
TIMEOUT_S: Final = 60.0
"""For a database that does not answer: longer than a new pod's network policies and a failover take."""
_TRY_AGAIN_S: Final = 2.0
_log = logger(__name__)


class StillAway(RuntimeError):
    """The database did not come back in time. The message is for the operator."""


async def patiently(
    step: str,
    work: Callable[[], Awaitable[T]],
    *,
    timeout_s: float = TIMEOUT_S,
    passes: Callable[[BaseException], bool] | None = None,
    then: str = "see whether the server runs and this machine may connect, and repeat",
) -> T:
    """The result of `work`, tried again for `timeout_s` seconds while it fails by something that `passes`; raises StillAway.

    `work` must be one that may be repeated although it succeeded. `then` tells the operator what to do in the end.
    """
    passes = passes or _comes_back
    deadline, told = monotonic() + timeout_s, ""
    while True:
        try:
            return await work()
        except Exception as error:
            if not passes(error):
                raise
            reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no answer'}"[:300]
            if monotonic() >= deadline:
                raise StillAway(f"{step}: not possible after {timeout_s:.0f} s ({reason}): {then}") from error
        if reason != told:
            _log.warning("waits_for_database", step=step, error=reason, for_s=round(deadline - monotonic()))
            told = reason
        await asyncio.sleep(_TRY_AGAIN_S)


def _comes_back(error: BaseException) -> bool:
    # asyncpg's error for a server that speaks no TLS is that for one that is away, but waiting mends nothing
    return is_transient(error) and "rejected SSL upgrade" not in str(error)
