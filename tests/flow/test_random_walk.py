"""Several people, whatever comes to their minds, on both databases: a few walks here, always the same; many new ones in `make soak`."""

from collections.abc import Callable

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.cast import Cast
from tests.flow.walk import Walk
from tests.soak import SIZE, size


@pytest.mark.soak
def test_a_random_walk_of_several_people(app: Flask, fill: Callable[[str], Cast]) -> None:
    run_state_machine_as_test(
        lambda: Walk(app, fill),
        settings=settings(
            max_examples=size(3, 10, 200),
            stateful_step_count=size(20, 30, 60),
            derandomize=SIZE == "little",
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
