"""Asking a target itself whether it is fit to be deployed to, and its answer as people get it."""

from fairlead.contracts.base import Frozen


class CheckTarget(Frozen):
    """Ask one target."""

    project: str
    target: str


class TargetFinding(Frozen):
    """One thing that was looked at; the fields of domain.grades.Finding, and a code where something cannot be had."""

    check: str
    grade: str
    detail: str
    fix: str | None = None
    code: str | None = None


class TargetChecked(Frozen):
    """What was found on a target, in the order in which a person would look."""

    target: str
    items: tuple[TargetFinding, ...] = ()
