"""The counting service as an operating system's process: started, asked over HTTP, stopped."""

import asyncio
import contextlib
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx

from tests.support.delivery import Delivery
from tests.support.waiting import until
from tuntas_embedded.ports import free_port

_ROOT = Path(__file__).parents[2]
_TIMEOUT_S = 90.0  # a new process has much to import, perhaps on a machine that is busy with other work


@dataclass
class ServiceProcess:
    """One process on the database and topics of `delivery`. `changes` are environment variables instead of sound ones."""

    delivery: Delivery
    changes: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    _process: asyncio.subprocess.Process | None = None

    async def start(self, command: str = "serve") -> Self:
        """Start it without waiting."""
        settings = {
            "TUNTAS_ENVIRONMENT": "test",
            "TUNTAS_KAFKA": self.delivery.servers.bootstrap,
            "TUNTAS_DATABASE_URL": self.delivery.database_url,
            "TUNTAS_OIDC_ISSUER": "http://127.0.0.1:1",
            "TUNTAS_HTTP_HOST": "127.0.0.1",
            "TUNTAS_HTTP_PORT": str(self.port),
            "TUNTAS_MIGRATE_ON_START": "true",
            "TUNTAS_OUTBOX_SHARDS": "4",
            "TUNTAS_DRAIN_TIMEOUT_S": "5",
            "TUNTAS_INPUTS": self.delivery.inputs,
            "TUNTAS_OUTPUTS": self.delivery.outputs,
        } | self.changes
        ours = {name: value for name, value in os.environ.items() if not name.startswith("TUNTAS_")}
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.support.counting", command),
            env=ours | {name: value for name, value in settings.items() if value},
            cwd=_ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        return self

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    async def ended(self, within_s: float = _TIMEOUT_S) -> tuple[int, str]:
        """Its exit status and all that it wrote, once it has ended."""
        assert self._process is not None
        async with asyncio.timeout(within_s):
            output, _ = await self._process.communicate()
        status = self._process.returncode
        assert status is not None
        return status, output.decode()

    def terminate(self) -> None:
        """SIGTERM."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)

    async def kill(self) -> None:
        """End it if it still runs, at the end of a test."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.communicate()

    async def get(self, path: str) -> httpx.Response:
        """Ask it."""
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=10) as http:
            return await http.get(path)

    async def until_ready(self, expected: int = 200) -> httpx.Response:
        """Wait until `/readyz` has this status; its answer."""

        async def answered() -> httpx.Response | None:
            try:
                answer = await self.get("/readyz")
            except httpx.TransportError:
                return None
            return answer if answer.status_code == expected else None

        found: httpx.Response = await until(answered, f"/readyz answers {expected}", _TIMEOUT_S)
        return found
