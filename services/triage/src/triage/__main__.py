"""`python -m triage`."""

from triage.app import build
from triage.settings import Settings
from tuntas_chassis.service import run

if __name__ == "__main__":
    run(build, Settings)
