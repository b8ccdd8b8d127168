"""`python -m dispatch`."""

from dispatch.app import build
from dispatch.entrypoints.load_register import load_register_command
from dispatch.settings import Settings
from tuntas_chassis.service import run

if __name__ == "__main__":
    run(build, Settings, {"load-register": load_register_command})
