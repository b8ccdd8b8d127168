"""`python -m intake rewrap-keys`: after `TUNTAS_ENCRYPTION_KEY` was changed, and before its former value is removed."""

import argparse
import sys
from collections.abc import Sequence

from intake.adapters.key_rotation import rewrap_all
from intake.settings import Settings
from tuntas_chassis.service import ServiceApp


async def rewrap_keys_command(app: ServiceApp, arguments: Sequence[str]) -> int:
    """Rewrap and say what came of it; 1 where there are keys that no configured key opens."""
    argparse.ArgumentParser(prog="python -m intake rewrap-keys", description=__doc__).parse_args(arguments)
    assert isinstance(app.settings, Settings)
    try:
        result = await rewrap_all(app.database, app.settings.vault())
    finally:
        await app.database.close()
    sys.stdout.write(f"{result.done} reporters' keys brought under the current key\n")
    if result.unreadable:
        sys.stderr.write(
            f"{result.unreadable} keys are wrapped under a key that is not configured, and stay as they are (the log names them): "
            "add it to TUNTAS_FORMER_ENCRYPTION_KEYS and repeat\n"
        )
    return 1 if result.unreadable else 0
