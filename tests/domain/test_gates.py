"""The gates over tables of facts."""

import hashlib
import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.domain.findings import UNREACHABLE
from fairlead.domain.gates import APPROVAL, DRIFT, FREEZE, PREVIOUS_ENVIRONMENT, SECURITY, judge
from fairlead.domain.instants import to_text
from fairlead.domain.verdict import Decision, Verdict

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
ALLOW, DENY, PENDING, ERROR = Decision.ALLOW, Decision.DENY, Decision.PENDING, Decision.ERROR
PLAIN = {"intent": "promote", "verified_here": False}
BACK = {"intent": "rollback", "verified_here": True}


def digest(value: Any) -> str:
    return "sha256:" + hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def ask(gate: str, policy: Any, facts: Any, now: datetime = NOW) -> Verdict:
    return judge({"gate": gate, "policy": policy, "facts": facts}, now, digest)


def ago(seconds: float) -> str:
    return to_text(NOW - timedelta(seconds=seconds))


def after(spans: Any, *, soak: float = 60.0, common: Any = PLAIN) -> Verdict:
    policy = {"after": {name: {"soak": soak} for name in spans}}
    return ask(PREVIOUS_ENVIRONMENT, policy, {**common, "spans": spans})


@pytest.mark.parametrize(
    ("spans", "decision", "codes", "left"),
    [
        ({}, ALLOW, (), None),
        ({"dev": []}, PENDING, ("environment_not_reached",), None),
        ({"dev": [[ago(60), None]]}, ALLOW, (), None),
        ({"dev": [[ago(50), None]]}, PENDING, ("soaking",), 10),
        ({"dev": [[ago(500), ago(460)], [ago(20), None]]}, ALLOW, (), None),
        ({"dev": [[ago(500), ago(470)], [ago(20), None]]}, PENDING, ("soaking",), 10),
        ({"dev": [[ago(500), ago(470)]]}, PENDING, ("soaking",), None),
        ({"dev": [[ago(-5), None]]}, PENDING, ("soaking",), 60),
        ({"dev": [[ago(50), ago(-500)]]}, PENDING, ("soaking",), None),
        ({"dev": [[ago(60), None]], "qa": []}, PENDING, ("environment_not_reached",), None),
        ({"dev": [[ago(50), None]], "qa": [[ago(30), None]]}, PENDING, ("soaking",), 30),
        ({"dev": [[ago(50), None]], "qa": []}, PENDING, ("environment_not_reached", "soaking"), None),
    ],
)
def test_a_release_must_have_run_before_for_as_long_as_it_must(
    spans: Any, decision: Decision, codes: tuple[str, ...], left: int | None
) -> None:
    verdict = after(spans)
    assert (verdict.decision, verdict.reason_codes) == (decision, codes)
    assert verdict.next_evaluation_at == (None if left is None else NOW + timedelta(seconds=left))


GONE = {"since": None, "differences": [{"kind": "missing", "component": "web", "detail": "web does not run"}]}


@pytest.mark.parametrize(
    ("facts", "decision", "codes"),
    [
        ({**PLAIN, "targets": {}}, ALLOW, ()),
        ({**PLAIN, "targets": {"prod-1": GONE}}, PENDING, ("drift",)),
        ({**BACK, "targets": {"prod-1": GONE}}, ALLOW, ()),
        ({**PLAIN}, ERROR, ("facts_unavailable",)),
    ],
)
def test_drift_keeps_promotions_waiting_and_lets_rollbacks_through(
    facts: Any, decision: Decision, codes: tuple[str, ...]
) -> None:
    verdict = ask(DRIFT, {"policy": "block"}, facts)
    assert (verdict.decision, verdict.reason_codes) == (decision, codes)
    assert ("prod-1: web does not run" in verdict.message) == (decision is PENDING)


@given(st.floats(0, 1000), st.floats(0, 1000))
def test_when_the_soak_is_said_to_end_it_has_ended(soak: float, ran: float) -> None:
    spans = {"dev": [[ago(ran), None]]}
    verdict = after(spans, soak=soak)
    if verdict.decision is PENDING:
        assert verdict.next_evaluation_at is not None
        policy = {"after": {"dev": {"soak": soak}}}
        again = ask(PREVIOUS_ENVIRONMENT, policy, {**PLAIN, "spans": spans}, verdict.next_evaluation_at)
        assert again.decision is ALLOW


def test_a_rollback_needs_no_environment_before() -> None:
    assert after({"dev": []}, common=BACK).decision is ALLOW
    assert after({"dev": []}, common={**BACK, "verified_here": False}).decision is PENDING


def freeze(*untils: str | None, intent: str = "promote", since: str = ago(60)) -> Verdict:
    freezes = [{"id": "f", "reason": "sale", "actor": "ana", "since": since, "until": until} for until in untils]
    return ask(FREEZE, {}, {"intent": intent, "freezes": freezes})


def test_without_a_freeze_all_may_pass() -> None:
    assert freeze().decision is ALLOW


def test_a_freeze_is_pending_until_the_last_one_ends() -> None:
    verdict = freeze(ago(-10), ago(-30))
    assert (verdict.decision, verdict.reason_codes) == (PENDING, ("frozen",))
    assert verdict.next_evaluation_at == NOW + timedelta(seconds=30)
    assert "sale" in verdict.message


def test_a_freeze_without_an_end_has_no_next_time() -> None:
    assert freeze(ago(-10), None).next_evaluation_at is None


def test_a_freeze_that_has_ended_or_not_begun_stops_nobody() -> None:
    assert freeze(ago(0)).decision is ALLOW
    assert freeze(None, since=ago(-1)).decision is ALLOW


def test_a_rollback_goes_through_a_freeze_and_says_so() -> None:
    verdict = freeze(None, intent="rollback")
    assert verdict.decision is ALLOW
    assert "goes through" in verdict.message


def cast(voter: str, choice: str = "approve", groups: tuple[str, ...] = (), plan: str = "plan", at: float = 5) -> Any:
    received = ago(at)
    return {
        "digest": voter + choice + received,
        "voter": voter,
        "choice": choice,
        "groups": list(groups),
        "plan": plan,
        "received": received,
    }


def approval(*votes: Any, expires: str | None = ago(-60), opened: str | None = ago(60), common: Any = PLAIN) -> Verdict:
    policy = {"count": 2, "groups": {"sre": 1}, "requester": "cannot_vote", "expires": 120.0}
    facts = {"requester": "cho", "plan": "plan", "opened": opened, "expires": expires, "votes": list(votes)}
    return ask(APPROVAL, policy, {**common, **facts})


SRE = ("sre",)


@pytest.mark.parametrize(
    ("votes", "decision", "says"),
    [
        ([], PENDING, "2 more votes, among them 1 of sre"),
        ([cast("ana", groups=SRE)], PENDING, "1 more vote"),
        ([cast("ana"), cast("ben")], PENDING, "needs votes, among them 1 of sre"),
        ([cast("ana", groups=SRE), cast("ben")], ALLOW, "approved by ana, ben"),
        ([cast("ana", groups=SRE), cast("cho")], PENDING, "1 more vote"),
        ([cast("ana", groups=SRE), cast("ben", plan="old")], PENDING, "1 more vote"),
        ([cast("ana", groups=SRE), cast("ana", groups=SRE, at=1)], PENDING, "1 more vote"),
        ([cast("ana", groups=SRE), cast("ben"), cast("dia", "reject")], DENY, "rejected by dia"),
        ([cast("ana", groups=SRE), cast("ben"), cast("cho", "reject")], ALLOW, "approved by ana, ben"),
    ],
)
def test_votes_are_counted_to_the_rule(votes: list[Any], decision: Decision, says: str) -> None:
    verdict = approval(*votes)
    assert verdict.decision is decision
    assert says in verdict.message


def test_approval_came_about_with_the_last_vote_needed() -> None:
    verdict = approval(cast("ana", groups=SRE, at=9), cast("ben", at=7), cast("dia", at=3))
    assert verdict.satisfied_at == NOW - timedelta(seconds=7)


def test_the_time_for_votes_ends_but_approval_stays() -> None:
    late = approval(cast("ana", groups=SRE), expires=ago(0))
    assert (late.decision, late.reason_codes) == (PENDING, ("approval_expired", "votes_missing"))
    assert approval(cast("ana", groups=SRE), cast("ben"), expires=ago(0)).decision is ALLOW


def test_votes_that_are_not_open_are_missing() -> None:
    verdict = approval(opened=None, expires=None)
    assert (verdict.decision, verdict.reason_codes, verdict.next_evaluation_at) == (PENDING, ("votes_missing",), None)


def test_votes_given_before_votes_opened_anew_are_missing() -> None:
    given = cast("ana", groups=SRE), cast("ben")
    assert approval(*given).decision is ALLOW
    assert approval(*given, opened=ago(1)).decision is PENDING
    assert approval(*given, opened=None, expires=None).decision is PENDING


def test_a_rollback_to_what_was_verified_here_needs_no_votes_and_says_so() -> None:
    verdict = approval(common=BACK)
    assert verdict.decision is ALLOW
    assert verdict.details["intent"] == "rollback"


INDEX, AMD, ARM = (f"sha256:{c * 64}" for c in "abc")


def finding(cve: str = "CVE-1", purl: str = "pkg:deb/ssl@1") -> dict[str, str]:
    return {"cve": cve, "package": "ssl", "version": "1", "severity": "critical", "purl": purl}


VEX = {"cve": "CVE-1", "status": "not_affected", "justification": UNREACHABLE, "subcomponents": []}


def image(*findings: Any, vex: Any = (), reported: bool = True) -> dict[str, Any]:
    return {"reported": reported, "reports": [], "findings": list(findings), "vex": list(vex)}


def security(images: dict[str, Any], *, reachable: bool = True) -> Verdict:
    given_images = {INDEX: image(reported=False), AMD: image(reported=False), ARM: image(reported=False), **images}
    facts = {"components": {"web": [[INDEX], [AMD, ARM]]}, "images": given_images}
    return ask(SECURITY, {"block": "critical", "reachable": reachable}, facts)


@pytest.mark.parametrize(
    ("images", "reachable", "decision"),
    [
        ({}, True, PENDING),
        ({INDEX: image()}, True, ALLOW),
        ({AMD: image()}, True, PENDING),
        ({AMD: image(), ARM: image()}, True, ALLOW),
        ({INDEX: image(finding())}, True, DENY),
        ({INDEX: image(), ARM: image(finding())}, True, DENY),
        ({AMD: image(finding())}, True, DENY),
        ({INDEX: image(finding(), vex=[VEX])}, True, ALLOW),
        ({INDEX: image(finding(), vex=[VEX])}, False, DENY),
        ({INDEX: image(finding(), finding("CVE-2"), vex=[VEX])}, True, DENY),
        ({INDEX: image(vex=[VEX]), ARM: image(finding())}, True, ALLOW),
        ({AMD: image(vex=[VEX]), ARM: image(finding())}, True, DENY),
        ({INDEX: image(finding()), AMD: image(vex=[VEX])}, True, DENY),
    ],
)
def test_what_is_scanned_and_out_of_reach_passes(images: Any, reachable: bool, decision: Decision) -> None:
    assert security(images, reachable=reachable).decision is decision


def test_a_missing_report_names_the_component_and_its_digest() -> None:
    verdict = security({})
    assert verdict.reason_codes == ("report_missing",)
    assert verdict.details["missing"] == {"web": [INDEX]}
    assert INDEX in verdict.message


def test_a_block_names_the_vulnerabilities_and_where_they_are() -> None:
    verdict = security({INDEX: image(finding("CVE-2"), finding("CVE-1"))})
    assert verdict.reason_codes == ("vulnerability_blocked",)
    assert "CVE-1, CVE-2" in verdict.message
    assert verdict.details["blocked_count"] == 2


@pytest.mark.parametrize("gate", [PREVIOUS_ENVIRONMENT, FREEZE, APPROVAL, SECURITY, "unheard-of"])
@pytest.mark.parametrize("facts", [{}, {"intent": "promote", "freezes": [{}]}, {"spans": 7}, None, []])
def test_facts_that_cannot_be_read_are_an_error(gate: str, facts: Any) -> None:
    verdict = ask(gate, {"after": {"dev": {}}}, facts)
    assert (verdict.decision, verdict.reason_codes) == (ERROR, ("facts_unavailable",))


def test_the_same_facts_at_the_same_time_give_the_same_verdict() -> None:
    assert approval(cast("ana")) == approval(cast("ana"))
    assert approval(cast("ana")).facts != approval(cast("ben")).facts
    assert approval(cast("ana")).policy == approval(cast("ben")).policy


def test_a_verdict_stays_small_whatever_it_is_about() -> None:
    many = [finding(f"CVE-{n:060}") for n in range(5000)]
    verdicts = [
        security({INDEX: image(*many)}),
        security({INDEX: image(*many, vex=[{**VEX, "cve": f["cve"]} for f in many])}),
        ask(FREEZE, {}, {"intent": "promote", "freezes": [frozen(n) for n in range(500)]}),
        after({f"environment-{n:028}": [] for n in range(500)}),
    ]
    sizes = [len(json.dumps(asdict(verdict), default=str, ensure_ascii=False).encode()) for verdict in verdicts]
    assert max(sizes) <= 16_384


def frozen(number: int) -> dict[str, Any]:
    return {"id": f"{number:012}", "reason": "\N{GRINNING FACE}" * 1000, "actor": "ana", "since": ago(1), "until": None}
