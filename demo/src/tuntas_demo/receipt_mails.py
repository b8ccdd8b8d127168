"""What reporters for whom somebody else entered a report find in their mail: their access code."""

import asyncio
import json
import re
from pathlib import Path
from time import monotonic
from typing import Final

_CODE: Final = re.compile(r"(?<![0-9A-Z-])[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}(?![0-9A-Z-])")
_TRACKING_ID: Final = re.compile(r"(?<![0-9A-Z-])[0-9A-Z]{4}(?:-[0-9A-Z]{4}){2}(?![0-9A-Z-])")
_LOOK_EVERY_S: Final = 0.2


class ReceiptMails:
    """Reads the sink's file on from where it stopped. Of two codes for one report the later one counts."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read = 0
        self._codes: dict[str, str] = {}

    def code_of(self, tracking_id: str) -> str | None:
        """The access code that was mailed for this report so far."""
        self._read_on()
        return self._codes.get(tracking_id)

    async def wait_for_code(self, tracking_id: str, seconds: float) -> str | None:
        """The access code, waiting for its mail at most so long."""
        deadline = monotonic() + seconds
        while (code := self.code_of(tracking_id)) is None and monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_EVERY_S)  # the sink is another process and writes a file: it sends no notification
        return code

    def _read_on(self) -> None:
        if not self._file.exists():
            return
        with self._file.open("rb") as lines:
            lines.seek(self._read)
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                self._read += len(line)
                mail = json.loads(line)
                code, tracking_id = _CODE.search(mail["body"]), _TRACKING_ID.search(mail["subject"])
                if code and tracking_id:
                    self._codes[tracking_id[0]] = code[0]
