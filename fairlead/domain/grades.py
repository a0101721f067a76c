"""What a look at a machine finds: one line for each thing that must be right for releases to move."""

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """`warning`: it works, and soon will not, or not as it should."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `fix`: what to do, where something is wrong."""

    check: str
    grade: Grade
    detail: str
    fix: str | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """In the order in which a person would look."""

    items: tuple[Finding, ...]


def good(check: str, detail: str) -> Finding:
    return Finding(check=check, grade=Grade.OK, detail=detail)


def doubtful(check: str, detail: str, fix: str) -> Finding:
    return Finding(check=check, grade=Grade.WARNING, detail=detail, fix=fix)


def bad(check: str, detail: str, fix: str) -> Finding:
    return Finding(check=check, grade=Grade.FAILED, detail=detail, fix=fix)
