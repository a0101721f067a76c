"""Judging a promotion's gates again, from the facts kept by digest: the same facts must give the same verdict."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from fairlead.contracts.base import Frozen
from fairlead.contracts.canonical import digest_of
from fairlead.contracts.records import PromotionRecord
from fairlead.domain import gates
from fairlead.domain.instants import from_text
from fairlead.store import documents


class ReplayedVerdict(Frozen):
    """A recorded verdict beside what the rule says now about the same facts. `decision_now` None: the facts are not kept."""

    gate: str
    facts: str
    decision: str
    decision_now: str | None
    message: str
    same: bool


class Replay(Frozen):
    """`same`: every verdict came out as it was recorded."""

    promotion: str
    verdicts: tuple[ReplayedVerdict, ...]
    same: bool


def replay(s: Session, promotion: PromotionRecord) -> Replay:
    """Judge the facts of the latest evaluation again."""
    verdicts = tuple(_again(s, verdict) for verdict in promotion.verdicts)
    return Replay(promotion=promotion.id, verdicts=verdicts, same=all(verdict.same for verdict in verdicts))


def _again(s: Session, recorded: Mapping[str, Any]) -> ReplayedVerdict:
    given = documents.facts(s, recorded["facts"])
    now = gates.judge(given, from_text(recorded["evaluated_at"]), digest_of) if given is not None else None
    same = now is not None and (now.decision, list(now.reason_codes), now.facts, now.message) == (
        recorded["decision"],
        list(recorded["reason_codes"]),
        recorded["facts"],
        recorded["message"],
    )
    return ReplayedVerdict(
        gate=recorded["gate"],
        facts=recorded["facts"],
        decision=recorded["decision"],
        decision_now=now.decision if now else None,
        message=recorded["message"],
        same=same,
    )
