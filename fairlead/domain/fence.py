"""Claims: a task's mark on a target, and the rule that only the highest goes on (design decision 7)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused


class FenceLost(Refused):
    """A higher claim lies on the target: this task must not change it any more."""

    status = 409


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """(number, attempt). The number is the environment's fence, the attempt the task's; both count from 1."""

    number: int
    attempt: int

    def __str__(self) -> str:
        return f"{self.number}.{self.attempt}"

    @classmethod
    def parse(cls, text: str) -> Claim:
        """Read `number.attempt`, as it stands on stickers and labels. Raises ValueError."""
        number, _, attempt = text.partition(".")
        return cls(int(number), int(attempt))


def require_highest(mine: Claim, seen: Iterable[Claim]) -> None:
    """Raise FenceLost (fence_lost) if any claim seen on the target is higher than mine."""
    highest = max(seen, default=mine)
    if highest > mine:
        raise FenceLost(
            Code.FENCE_LOST,
            f"claim {mine} gave way to {highest}",
            fields={"claim": str(mine), "highest": str(highest)},
        )


def may_adopt(mine: Claim, made_by: Claim, *, is_rollback: bool) -> bool:
    """Whether what `made_by` made, and is just as my plan asks, may be kept instead of made anew."""
    return is_rollback or (made_by.number == mine.number and made_by.attempt <= mine.attempt)
