"""Several people, whatever comes to their minds, on both databases: bounded here, long in `make soak`."""

import os
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.cast import Cast
from tests.flow.walk import Walk

EXAMPLES, STEPS = (int(number) for number in os.environ.get("WALK", "4x25").split("x"))


@pytest.mark.timeout(3600)  # each example has a limit of its own
def test_a_random_walk_of_several_people(app: Flask, fill: Callable[[str], Cast]) -> None:
    run_state_machine_as_test(
        lambda: Walk(app, fill),
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=timedelta(minutes=2), derandomize=not os.environ.get("WALK"),
            suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink] if os.environ.get("WALK") else [Phase.generate],
            print_blob=True,
        ),
    )  # fmt: skip
