"""What verification answers: each rule with what it found, and what stays somebody's word."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

C = TypeVar("C")


class Status(StrEnum):
    """`skipped`: the rule could not be asked, because what came before it failed."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"

    @property
    def is_terminal(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Rule(Generic[C]):
    """A rule with its stable name, what it demands in words, and the check, which yields what is wrong."""

    name: str
    demands: str
    check: Callable[[C], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule found. `problems` is empty unless it failed."""

    rule: str
    demands: str
    status: Status
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """`incomplete`: there is no outcome yet. `on_trust`: facts that nothing but the decision key vouches for."""

    findings: tuple[Finding, ...]
    incomplete: bool = False
    project: str | None = None
    promotion: str | None = None
    environment: str | None = None
    release: str | None = None
    state: str | None = None
    on_trust: tuple[str, ...] = ()

    @property
    def verified(self) -> bool:
        """Whether every rule was asked and held."""
        return bool(self.findings) and all(finding.status is Status.OK for finding in self.findings)

    @property
    def failed(self) -> tuple[str, ...]:
        """The names of the rules that failed."""
        return tuple(finding.rule for finding in self.findings if finding.status is Status.FAILED)

    def document(self) -> dict[str, Any]:
        """The report as JSON."""
        return {
            "verified": self.verified,
            "incomplete": self.incomplete,
            "failed": list(self.failed),
            "project": self.project,
            "promotion": self.promotion,
            "environment": self.environment,
            "release": self.release,
            "state": self.state,
            "rules": [
                {"rule": f.rule, "status": f.status.value, "demands": f.demands, "problems": list(f.problems)}
                for f in self.findings
            ],
            "on_trust": list(self.on_trust),
        }
