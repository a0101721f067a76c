"""Nobody signs for another: signatures, keys, roles and times."""

import base64

import pytest

from tests.evidence import world as w
from tests.evidence.forging import failed, names_of

LONG_AGO, MUCH_LATER = "2020-01-01T00:00:00Z", "2030-01-01T00:00:00Z"
DECIDED = ("release", "verdict freeze", "votes", "decision", "verification", "rollback", "outcome")
DONE = ("deployment", "observation prod-1", "way back", "observation prod-1 of way back")


@pytest.mark.parametrize("name", names_of(w.rolled_back))
def test_a_signature_that_does_not_hold_is_refused(name):
    world = w.told(w.rolled_back)
    index = world.names[name]
    other = world.leaves[world.names["release" if name != "release" else "decision"]]
    world.leaves[index] = {
        **world.leaves[index],
        "signatures": [{**world.leaves[index]["signatures"][0], "sig": _sig(other)}],
    }
    assert w.judged(world.bundle()).failed == ("signature",)


def _sig(envelope):
    return envelope["signatures"][0]["sig"]


def test_a_signature_with_bytes_after_it_is_refused():
    world = w.told(w.succeeded)
    leaf = world.leaves[world.names["decision"]]
    longer = base64.b64encode(base64.b64decode(_sig(leaf)) + b"\0").decode()
    leaf["signatures"][0]["sig"] = longer
    assert w.judged(world.bundle()).failed == ("signature",)


@pytest.mark.parametrize("name", names_of(w.rolled_back))
def test_a_key_that_was_not_handed_over_is_refused(name):
    assert failed(w.rolled_back, signed_by={name: "mallory"}) == ("known_key",)


@pytest.mark.parametrize("key", ["agent", "ledger", "portal", "ana"])
@pytest.mark.parametrize("name", DECIDED)
def test_only_the_decision_key_signs_what_is_decided(name, key):
    assert failed(w.rolled_back, signed_by={name: key}) == ("role",)


@pytest.mark.parametrize("key", ["decision", "ledger", "portal", "ana"])
@pytest.mark.parametrize("name", DONE)
def test_only_agents_sign_what_they_did_and_saw(name, key):
    assert failed(w.rolled_back, signed_by={name: key}) == ("role",)


@pytest.mark.parametrize("key", ["decision", "agent", "portal", "ana", "mallory"])
def test_only_the_ledger_key_signs_checkpoints(key):
    world = w.told(w.succeeded)
    bundle = world.bundle()
    bundle["checkpoint"] = world.checkpoint(key=key)
    assert w.judged(bundle).failed == ("checkpoint",)


@pytest.mark.parametrize("key", ["decision", "agent"])
@pytest.mark.parametrize("bounds", [{"not_after": LONG_AGO}, {"not_before": MUCH_LATER}])
def test_a_key_signs_only_in_its_time(key, bounds):
    assert w.judged(w.told(w.succeeded).bundle(), w.trust(**{key: bounds})).failed == ("key_time",)


def test_one_statement_after_its_keys_retirement_is_enough():
    trusted = w.trust(decision={"not_after": "2025-03-01T12:59:59Z"})
    report = w.judged(w.told(w.succeeded).bundle(), trusted)
    problems = [p for f in report.findings for p in f.problems]
    assert (report.failed, len(problems)) == (("key_time",), 1)


def test_a_ledger_key_that_was_retired_before_the_last_statement_is_refused():
    trusted = w.trust(ledger={"not_after": "2025-03-01T12:59:59Z"})
    assert w.judged(w.told(w.succeeded).bundle(), trusted).failed == ("checkpoint",)


@pytest.mark.parametrize("bounds", [{"not_after": "2025-03-01T12:15:59Z"}, {"not_before": "2025-03-01T12:16:01Z"}])
def test_a_voters_key_is_judged_when_the_vote_was_received(bounds):
    assert "vote_signature" in w.judged(w.told(w.succeeded).bundle(), w.trust(ana=bounds)).failed


@pytest.mark.parametrize("roles", [["voter:ben"], ["front_end"], ["decision"], ["agent:ana"]])
def test_a_voters_key_without_the_voters_role_is_refused(roles):
    assert w.judged(w.told(w.succeeded).bundle(), w.trust(ana={"roles": roles})).failed == ("vote_signature",)
