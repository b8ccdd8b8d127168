"""`python -m sla_monitor`."""

from sla_monitor.app import build
from sla_monitor.settings import Settings
from tuntas_chassis.service import run

if __name__ == "__main__":
    run(build, Settings)
