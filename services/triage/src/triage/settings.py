"""Triage's settings beside the chassis'."""

from pydantic import Field

from tuntas_chassis.name_keys import NameKeySettings


class Settings(NameKeySettings):
    """Environment variables `TUNTAS_*`; seconds end in `_s`."""

    register_reload_s: float = Field(default=10, gt=0, description="How often the register is read again, for what other replicas took in")
    gauges_s: float = Field(default=15, gt=0, description="How often the gauges of queue and register are brought up to date")
