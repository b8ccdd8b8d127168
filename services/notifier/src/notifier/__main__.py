"""`python -m notifier`."""

from notifier.app import build
from notifier.settings import Settings
from tuntas_chassis.service import run

if __name__ == "__main__":
    run(build, Settings)
