"""Gathering what the gates judge: one read of the store, as JSON values that are kept by digest."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlmodel import Session

from fairlead.commands.drift import drifted
from fairlead.commands.promotions import require_environment
from fairlead.contracts.canonical import Digest, digest_of
from fairlead.contracts.messages import INTENT_RECONVERGE, INTENT_RETIRE, INTENT_ROLLBACK
from fairlead.contracts.records import PromotionRecord, ReportRecord
from fairlead.contracts.release import PinnedComponent, Plan
from fairlead.contracts.votes import ApprovalTerms
from fairlead.domain import gates
from fairlead.domain.catalogue import ApprovalRule, Catalogue, DriftPolicy, Environment, SecurityRule
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotFound
from fairlead.domain.findings import OPENVEX, TRIVY, at_least, read_openvex, read_trivy
from fairlead.domain.instants import to_text
from fairlead.domain.verdict import Verdict
from fairlead.store import deployments, documents, releases, reports, restraints, votes

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
    """The facts of every gate that this promotion must pass. `opened` and `expires`: of the votes for this plan.

    A rollback to a release that was verified here is not asked for security: getting back must not be blocked. A retirement brings
    nothing: it is asked neither for security nor for what came before.
    """
    environment = require_environment(catalogue, promotion.environment)
    common = {"intent": promotion.intent, "verified_here": _verified_here(s, promotion)}
    found = [_previous_environment(s, catalogue, environment, promotion, common), _freeze(s, promotion, now, common)]
    if environment.drift.policy is DriftPolicy.BLOCK:
        found.append(_drift(s, environment, promotion, now, common))
    if promotion.intent == INTENT_RETIRE:
        found = [given for given in found if given["gate"] == gates.FREEZE]
    if environment.approval:
        found.append(_approval(s, environment.approval, promotion, plan, (opened, expires), common))
    if environment.security and _brings_something_new(promotion, common):
        found.append(_security(s, environment.security, promotion))
    return {given["gate"]: given for given in found}


def _brings_something_new(promotion: PromotionRecord, common: Mapping[str, Any]) -> bool:
    goes_back = promotion.intent == INTENT_ROLLBACK and common["verified_here"]
    return not goes_back and promotion.intent != INTENT_RETIRE


def judge(facts: Facts, now: datetime) -> list[Verdict]:
    """Every gate's verdict over gathered facts, in the order of the facts."""
    return [gates.judge(given, now, digest_of) for given in facts.values()]


def keep(s: Session, project: str, facts: Facts) -> None:
    """Store what every gate was given, and its policy, under the digests that its verdict names."""
    documents.put_all_facts(s, project, [kept for given in facts.values() for kept in (given, given["policy"])])


def approval_terms(
    facts: Facts, *, opened: datetime | None = None, expires: datetime | None = None
) -> ApprovalTerms | None:
    """The approval rule as it stands for this promotion; None when no votes are asked for."""
    given = facts.get(gates.APPROVAL)
    if given is None or gates.goes_back(given["facts"]) or gates.brings_the_same(given["facts"]):
        return None
    policy = given["policy"]
    return ApprovalTerms(
        count=policy["count"],
        groups=policy["groups"],
        requester=policy["requester"],
        expires_after=policy["expires"],
        opened=opened,
        expires=expires,
    )


def _given(gate: str, policy: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    return {"gate": gate, "policy": policy, "facts": facts}


def _verified_here(s: Session, promotion: PromotionRecord) -> bool:
    return bool(deployments.verified_spans(s, promotion.project, promotion.environment, promotion.release_digest))


def _previous_environment(
    s: Session, catalogue: Catalogue, environment: Environment, promotion: PromotionRecord, common: dict[str, Any]
) -> dict[str, Any]:
    after = {name: {"soak": catalogue.environments[name].soak} for name in environment.after}
    spans = {
        name: [
            [to_text(start), to_text(end) if end else None]
            for start, end in deployments.verified_spans(s, promotion.project, name, promotion.release_digest)
        ]
        for name in environment.after
    }
    facts = {**common, "release": promotion.release_digest, "spans": spans}
    return _given(gates.PREVIOUS_ENVIRONMENT, {"after": after}, facts)


def _freeze(s: Session, promotion: PromotionRecord, now: datetime, common: dict[str, Any]) -> dict[str, Any]:
    freezes = [
        {
            "id": freeze.id,
            "reason": freeze.reason,
            "actor": freeze.actor,
            "since": to_text(freeze.since),
            "until": to_text(freeze.until) if freeze.until else None,
        }
        for freeze in restraints.open_at(s, promotion.project, promotion.environment, now, kind=gates.FREEZE)
    ]
    return _given(gates.FREEZE, {}, {**common, "freezes": freezes})


def _drift(
    s: Session, environment: Environment, promotion: PromotionRecord, now: datetime, common: dict[str, Any]
) -> dict[str, Any]:
    targets = {
        look.target: {
            "since": to_text(look.since) if look.since else None,
            "differences": [d.model_dump(mode="json", exclude={"code"}) for d in look.drift],
        }
        for look in drifted(s, promotion.project, environment, now)
    }
    return _given(gates.DRIFT, {"policy": environment.drift.policy.value}, {**common, "targets": targets})


def _approval(
    s: Session,
    rule: ApprovalRule,
    promotion: PromotionRecord,
    plan: Plan,
    times: tuple[datetime | None, datetime | None],
    common: dict[str, Any],
) -> dict[str, Any]:
    cast = [
        {
            "digest": vote.digest,
            "voter": vote.voter,
            "choice": vote.choice,
            "groups": list(vote.groups),
            "plan": vote.plan,
            "received": to_text(vote.received),
        }
        for vote in votes.accepted(s, promotion.id)
    ]
    opened, expires = (to_text(time) if time else None for time in times)
    facts = {"requester": promotion.requester, "plan": digest_of(plan), "opened": opened, "expires": expires}
    if promotion.intent == INTENT_RECONVERGE:
        last = deployments.last_verified(s, promotion.project, promotion.environment)
        facts["verified_plan"] = last.plan if last else None
    return _given(gates.APPROVAL, asdict(rule), {**common, **facts, "votes": cast})


def _security(s: Session, rule: SecurityRule, promotion: PromotionRecord) -> dict[str, Any]:
    release = releases.by_digest(s, promotion.project, promotion.release_digest)
    if release is None:
        raise NotFound(Code.RELEASE_NOT_FOUND, f"there is no release {promotion.release}")
    options = {name: _options(pinned) for name, pinned in release.manifest.components.items()}
    digests = {digest for option in options.values() for images in option for digest in images}
    images = {digest: _image(s, promotion.project, digest, rule) for digest in sorted(digests)}
    return _given(gates.SECURITY, asdict(rule), {"components": options, "images": images})


def _options(pinned: PinnedComponent) -> list[list[Digest]]:
    """The sets of images of which one must be scanned: what the tag named or, for an index, all its platforms."""
    platforms = sorted((pinned.platforms or {}).values())
    return [[pinned.digest], platforms] if platforms else [[pinned.digest]]


def _image(s: Session, project: str, digest: Digest, rule: SecurityRule) -> dict[str, Any]:
    """What is known of one image: the newest scan's findings that could block, and every statement, the latest first."""
    known = reports.of_digest(s, project, digest)
    scan = next((report for report in known if report.kind == TRIVY), None)
    found = at_least(read_trivy(_document(s, scan), digest), rule.block) if scan else ()
    said = [vex for report in known if report.kind == OPENVEX for vex in read_openvex(_document(s, report), digest)]
    return {
        "reported": scan is not None,
        "reports": [report.document for report in known],
        "findings": [asdict(finding) for finding in found],
        "vex": [{**asdict(statement), "subcomponents": list(statement.subcomponents)} for statement in said],
    }


def _document(s: Session, report: ReportRecord) -> Any:
    document = documents.artifact(s, report.document)
    if document is None:
        raise NotFound(Code.DIGEST_NOT_FOUND, f"nothing is kept under {report.document}")
    return document
