"""`python -m intake`."""

from intake.app import build
from intake.entrypoints.key_rotation import rewrap_keys_command
from intake.settings import Settings
from tuntas_chassis.service import run

if __name__ == "__main__":
    run(build, Settings, {"rewrap-keys": rewrap_keys_command})
