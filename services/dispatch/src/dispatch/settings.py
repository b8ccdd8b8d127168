"""Dispatch's settings beside the chassis'."""

from pydantic import Field

from tuntas_chassis.name_keys import NameKeySettings


class Settings(NameKeySettings):
    """Environment variables `TUNTAS_*`."""

    gauges_s: float = Field(default=60, gt=0, description="How often the open cases of every agency are counted for the gauges")
    register_refresh_s: float = Field(default=30, gt=0, description="How often a process reads the register again")
    actions_fetch_wait_ms: int = Field(default=1_500, ge=10, description="How long a fetch of all agencies' commands waits at the broker")
    actions_rest_wait_ms: int = Field(default=15_000, ge=10, le=30_000, description="The same while no agency sends anything")
    actions_fetch_min_bytes: int = Field(
        default=1, ge=1, description="How much of all agencies' commands such a fetch waits for; more costs less and answers later"
    )
    refusals_per_minute: int = Field(default=5_000, ge=1, description="Refusals answered one by one, per agency")
