"""Gathering what the gates judge: one read of the store, as JSON values that are kept by digest."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from fairlead.contracts.records import PromotionRecord
from fairlead.contracts.release import Plan
from fairlead.contracts.votes import ApprovalTerms
from fairlead.domain.catalogue import Catalogue
from fairlead.domain.verdict import Verdict

Facts = Mapping[str, dict[str, Any]]
"""By gate name, what the gate is given: `{"gate", "policy", "facts"}`."""


def gather(
    s: Session,
    catalogue: Catalogue,
    promotion: PromotionRecord,
    plan: Plan,
    now: datetime,
    *,
    opened: datetime | None = None,
    expires: datetime | None = None,
) -> Facts:
    """The facts of every gate that this promotion must pass. `opened` and `expires`: of the votes for this plan."""
    raise NotImplementedError


def judge(facts: Facts, now: datetime) -> list[Verdict]:
    """Every gate's verdict over gathered facts, in the order of the facts."""
    raise NotImplementedError


def keep(s: Session, project: str, facts: Facts) -> None:
    """Store what every gate was given, under the digest that its verdict names."""
    raise NotImplementedError


def approval_terms(
    facts: Facts, *, opened: datetime | None = None, expires: datetime | None = None
) -> ApprovalTerms | None:
    """The approval rule as it stands for this promotion; None when no votes are asked for."""
    raise NotImplementedError
