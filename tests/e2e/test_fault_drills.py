"""The quick drills of `tuntas drill`, each held to what the fault matrix promises; those of one setting share a stack."""

import random
from collections.abc import AsyncIterator

import pytest

from tuntas_devstack.drills.model import Drill, Setting
from tuntas_devstack.drills.registry import DRILLS
from tuntas_devstack.drills.runner import do, must_hold, new_folder, stack_options, staged
from tuntas_devstack.drills.scene import Scene

pytestmark = [pytest.mark.timeout(900), pytest.mark.drill]

SEED = random.SystemRandom().randrange(10**6)
"""Stands in the tests' names: what is killed and frozen follows from it."""
REPORTS = 60


def quick(setting: Setting) -> pytest.MarkDecorator:
    chosen = [drill for drill in DRILLS.values() if drill.quick and drill.setting is setting]
    return pytest.mark.parametrize("drill", chosen, ids=[f"{drill.name}-{SEED}" for drill in chosen])


async def stage(setting: Setting) -> AsyncIterator[Scene]:
    async with staged(stack_options(setting), new_folder() / "stack", random.Random(SEED), REPORTS, print) as scene:
        yield scene


@pytest.fixture(scope="module")
async def pairs() -> AsyncIterator[Scene]:
    async for scene in stage(Setting.PAIRS):
        yield scene


@pytest.fixture(scope="module")
async def three_brokers() -> AsyncIterator[Scene]:
    async for scene in stage(Setting.THREE_BROKERS):
        yield scene


@quick(Setting.PAIRS)
async def test_it_holds(pairs: Scene, drill: Drill) -> None:
    result = await do(drill, pairs, print)
    must_hold(result)
    assert result.outcome == "held"


@quick(Setting.THREE_BROKERS)
async def test_it_holds_with_three_brokers(three_brokers: Scene, drill: Drill) -> None:
    result = await do(drill, three_brokers, print)
    must_hold(result)
    assert result.outcome == "held"
