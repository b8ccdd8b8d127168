from triage.adapters.tables import METADATA
from tuntas_chassis.persistence.migrations import run_env

run_env(METADATA)
