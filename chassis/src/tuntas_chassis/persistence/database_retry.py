"""Retries an operator's command while its database is unavailable: it logs that once, and gives up after a while with one sentence."""

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


class DatabaseUnavailable(RuntimeError):
    """The database did not come back in time. The message is for the operator."""


async def retry_while_unavailable(
    step: str,
    work: Callable[[], Awaitable[T]],
    *,
    timeout_s: float = TIMEOUT_S,
    is_temporary: Callable[[BaseException], bool] | None = None,
    then: str = "see whether the server runs and this machine may connect, and repeat",
) -> T:
    """The result of `work`, tried again for `timeout_s` seconds while its error `is_temporary`; raises DatabaseUnavailable.

    `work` must be one that may be repeated although it succeeded. `then` says to the operator what to do in the end.
    """
    is_temporary = is_temporary or _is_unavailable
    deadline, reported = monotonic() + timeout_s, ""
    while True:
        try:
            return await work()
        except Exception as error:
            if not is_temporary(error):
                raise
            reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no answer'}"[:300]
            if monotonic() >= deadline:
                raise DatabaseUnavailable(f"{step}: not possible after {timeout_s:.0f} s ({reason}): {then}") from error
        if reason != reported:
            _log.warning("waits_for_database", step=step, error=reason, for_s=round(deadline - monotonic()))
            reported = reason
        await asyncio.sleep(_TRY_AGAIN_S)


def _is_unavailable(error: BaseException) -> bool:
    # asyncpg's error for a server that speaks no TLS is that for one that is unreachable, but waiting does not help
    return is_transient(error) and "rejected SSL upgrade" not in str(error)
