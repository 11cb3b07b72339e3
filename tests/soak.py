"""How much a test of endurance does: a little in `make test`, more in CI's bounded soak, everything in `make soak`."""

import os

SIZE = os.environ.get("SOAK") or "little"
PLACES = {"little": 0, "bounded": 1, "full": 2}


def size(little: int, bounded: int, full: int) -> int:
    """The count for this run. The test that asks carries the marker `soak`, so that `make soak` finds it."""
    return (little, bounded, full)[PLACES[SIZE]]
