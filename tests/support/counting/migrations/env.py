from sqlalchemy import MetaData

from tuntas_chassis.migrations import run_env

run_env(MetaData())
