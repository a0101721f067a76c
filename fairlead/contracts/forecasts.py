"""Asking a target itself what a plan would change there, before anybody has asked for it, and its answer as people get it."""

from fairlead.contracts.base import Frozen
from fairlead.contracts.canonical import Digest
from fairlead.contracts.release import PlannedTarget


class ForecastTarget(Frozen):
    """Ask one target. `target`: its part of a plan that nobody has asked for yet, of digests only; `plan`: the digest of that."""

    project: str
    environment: str
    release: Digest
    plan: Digest
    healthy_deadline: float
    target: PlannedTarget


class TargetForecast(Frozen):
    """What a target said. `tells`: there was something to ask; `code`: why it did not, or what would be in the way.

    `before`, `after`: the hooks that would be run around the change, as the plan says, in their order; also of targets that do not answer.
    """

    target: str
    tells: bool
    lines: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    code: str | None = None
    detail: str = ""
    fix: str | None = None
