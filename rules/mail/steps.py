"""One line of a search or a check: what was tried, and what came of it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DiscoveryStep:
    """verdict: true (it holds), false (it doesn't), or later (not tried, or nothing known). seen: in a few words."""

    name: str
    verdict: str
    seen: str
    small: str = ""
