"""Why a rule matched an event, or did not. Pure: what a version says and the event's facts in, what failed out."""

from collections.abc import Iterator
from dataclasses import dataclass

from kanban.criteria import GroupKind, Truth, Verdict, judge
from kanban.facts import Facts
from rules.definition.content import RuleContent
from rules.definition.evaluator import starts


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


def judge_rule(content: RuleContent, facts: Facts) -> Judgement:
    verdict = judge(content.criteria, facts)
    asked = _count(verdict)
    if not starts(content.trigger, facts):
        return Judgement(False, None, asked)
    failed = () if verdict.truth is True else tuple(_failed(verdict, 1))
    return Judgement(True, verdict.truth, asked, failed)


def _failed(verdict: Verdict, number: int) -> Iterator[Failed]:
    """number: of the verdict's first criterion."""
    if verdict.criterion is not None:
        yield Failed(number, verdict)
    for part in verdict.parts:
        if part.truth is not True:
            yield from _failed(part, number)
            if verdict.group is GroupKind.ALL:
                return
        number += _count(part)


def _count(verdict: Verdict) -> int:
    """How many criteria a verdict is of."""
    return sum(1 for _leaf in verdict.leaves)
