"""Alembic's environment."""

from sla_monitor.adapters.tables import METADATA
from tuntas_chassis.persistence.migrations import run_env

run_env(METADATA)
