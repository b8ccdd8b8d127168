"""The SLA monitor's settings beside the chassis'."""

from pydantic import Field

from tuntas_chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """How often deadlines are looked for, and how many are announced at once."""

    firing_interval_s: float = Field(default=0.5, gt=0, le=60, description="Pause between two looks for what is due, while marks come")
    firing_batch: int = Field(default=1_000, ge=1, le=10_000, description="Cases whose due checkpoints one transaction announces")
    gauges_s: float = Field(
        default=120, gt=0, description="How often the gauges of completions and of what falls due are brought up to date"
    )
    figures_cache_s: float = Field(default=30, ge=0, description="How long computed public figures are served again")
