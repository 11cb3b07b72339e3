"""Why a rule matched an event, or did not. Pure: what a version says and the event's facts in, what failed out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kanban.criteria import Truth, Verdict
from rules.evaluator import evaluate, starts


@dataclass(frozen=True)
class Failed:
    """A criterion that did not hold, or of which nothing is known (its truth is None). number: among all the rule asks."""

    number: int
    verdict: Verdict


@dataclass(frozen=True)
class Judgement:
    """started: whether the event was what the rule waits for; where it wasn't, criteria were not asked. asked: how many
    there are. failed: the first of those that must all hold; each of those of which one would do."""

    started: bool
    truth: Truth
    asked: int = 0
    failed: tuple[Failed, ...] = ()

    @property
    def matched(self) -> bool:
        return self.started and self.truth is True


def judge_rule(
    trigger: str, options: Mapping[str, Any], criteria: Mapping[str, Any], facts: Mapping[str, Any], kinds: Mapping[str, str]
) -> Judgement:
    """kinds: see kanban.criteria.judge. Never raises on stored data."""
    verdict = evaluate(criteria, facts, kinds)
    asked = _count(verdict)
    if not starts(trigger, options, facts):
        return Judgement(False, None, asked)
    failed = () if verdict.truth is True else tuple(_failed(verdict, 1))
    return Judgement(True, verdict.truth, asked, failed)


def _failed(verdict: Verdict, number: int) -> Iterator[Failed]:
    """number: of the verdict's first criterion."""
    if not verdict.group:
        yield Failed(number, verdict)
    for part in verdict.parts:
        if part.truth is not True:
            yield from _failed(part, number)
            if verdict.group == "all":
                return
        number += _count(part)


def _count(verdict: Verdict) -> int:
    """How many criteria a verdict is of."""
    return sum(map(_count, verdict.parts)) if verdict.group else 1
