"""`python -m tests.support.counting [serve | migrate]`."""

from tests.support.counting.app import Settings, build
from tuntas_chassis.service import run

run(build, Settings)
