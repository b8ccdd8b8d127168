"""One session with each database that somebody looks into again and again."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import asyncpg

_CONNECT_S = 20.0
_ANSWER_S = 60.0
_BROKEN = (asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, asyncpg.InterfaceError, OSError)


class Sessions:
    """Sessions by the database's name, kept between two looks: connecting costs both ends far more than a look does.

    One that broke meanwhile, as when its server was restarted, is opened again. A database that is to be copied or dropped may have
    none: close them before. Several tasks may look into one database; they take turns.
    """

    def __init__(self, urls: Mapping[str, str]) -> None:
        """`urls` are the databases' by name."""
        self._urls = urls
        self._open: dict[str, asyncpg.Connection[asyncpg.Record]] = {}
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def fetch(self, name: str, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        """The rows that a statement gives. Raises asyncpg's errors, OSError and TimeoutError."""
        async with self._turns[name]:
            kept = self._open.get(name)
            if kept is not None:
                try:
                    return list(await kept.fetch(sql, *arguments))
                except _BROKEN:
                    self._drop(name)
                except TimeoutError:
                    self._drop(name)
                    raise
            connection = await asyncpg.connect(self._urls[name], timeout=_CONNECT_S, command_timeout=_ANSWER_S)
            self._open[name] = connection
            try:
                return list(await connection.fetch(sql, *arguments))
            except (*_BROKEN, TimeoutError):
                self._drop(name)
                raise

    async def close(self) -> None:
        """End every session; the next look connects again."""
        for name in list(self._open):
            async with self._turns[name]:
                if connection := self._open.pop(name, None):
                    try:
                        await connection.close(timeout=_CONNECT_S)
                    except (*_BROKEN, TimeoutError):
                        connection.terminate()

    def _drop(self, name: str) -> None:
        self._open.pop(name).terminate()
