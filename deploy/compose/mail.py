"""The development mail server, where other containers reach it: every mail becomes a line of JSON in a file."""

import argparse
import asyncio
import signal
from pathlib import Path

from aiosmtpd.smtp import SMTP

from tuntas_embedded.smtp_sink import SmtpSink


async def serve(host: str, port: int, file: Path) -> None:
    """Take mails until SIGTERM."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    async with SmtpSink(file) as sink:
        # The sink's own server listens on loopback only, which other containers can't reach.
        server = await loop.create_server(lambda: SMTP(sink, hostname="mail", enable_SMTPUTF8=True), host, port)
        await ended.wait()
        server.close()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="0.0.0.0")  # noqa: S104 – the container's own interface
    parser.add_argument("--port", type=int, default=2525)
    parser.add_argument("--file", type=Path, default=Path("/tmp/mail.jsonl"))  # noqa: S108 – the container's own
    told = parser.parse_args()
    asyncio.run(serve(told.host, told.port, told.file))


if __name__ == "__main__":
    main()
