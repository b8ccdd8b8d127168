"""The quick drills of `tuntas drill` that need three brokers, held to what the fault matrix promises, on one stack."""

import random
from collections.abc import AsyncIterator

import pytest

from tests.support.seeds import seed_of_this_run
from tuntas_demo.drills.model import Drill, Setting
from tuntas_demo.drills.registry import DRILLS
from tuntas_demo.drills.runner import do, must_hold, stack_options, staged
from tuntas_demo.drills.scene import Scene

pytestmark = [pytest.mark.timeout(900), pytest.mark.drill]

SEED = seed_of_this_run()
"""Stands in the tests' names: what is killed and frozen follows from it."""
REPORTS = 60
QUICK = [drill for drill in DRILLS.values() if drill.quick and drill.setting is Setting.THREE_BROKERS]


@pytest.fixture(scope="module")
async def three_brokers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    folder = tmp_path_factory.mktemp("brokers") / "stack"
    async with staged(stack_options(Setting.THREE_BROKERS), folder, random.Random(SEED), REPORTS, print) as scene:
        yield scene


@pytest.mark.parametrize("drill", QUICK, ids=[f"{drill.name}-{SEED}" for drill in QUICK])
async def test_it_holds_with_three_brokers(three_brokers: Scene, drill: Drill) -> None:
    result = await do(drill, three_brokers, print)
    must_hold(result)
    assert result.outcome == "held"
