from sqlalchemy import MetaData

from tuntas_chassis.persistence.migrations import run_env

run_env(MetaData())
