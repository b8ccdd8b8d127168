"""The seed of what a run of the tests leaves to chance."""

import os
import random
from zlib import crc32


def seed_of_this_run() -> int:
    """Another one in each run; the same in every process of a run, because tests have it in their names."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    return crc32(run.encode()) % 10**6 if run else random.SystemRandom().randrange(10**6)
