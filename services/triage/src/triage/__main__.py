"""`python -m triage`."""

from tuntas_chassis.service import run

from triage.app import build
from triage.settings import Settings

if __name__ == "__main__":
    run(build, Settings)
