"""The ledger: what is not proved to be in it, in its order and under its own checkpoint, is refused."""

import pytest

from tests.evidence import world as w
from tests.evidence.forging import altered, names_of


def _swap(bundle, one, other):
    items = bundle["envelopes"]
    items[one], items[other] = items[other], items[one]


def _replace_in(text, old, new):
    assert old in text
    return text.replace(old, new, 1)


ALTERATIONS = {
    "another index": (lambda b: b["envelopes"][3].update(index=b["envelopes"][3]["index"] + 1), "inclusion"),
    "an index beyond the tree": (lambda b: b["envelopes"][-1].update(index=10_000), "inclusion"),
    "a proof cut short": (lambda b: b["envelopes"][0]["proof"].pop(), "inclusion"),
    "a proof too long": (lambda b: b["envelopes"][0]["proof"].append(b["envelopes"][1]["proof"][0]), "inclusion"),
    "a proof in another order": (lambda b: b["envelopes"][0]["proof"].reverse(), "inclusion"),
    "the proof of another": (lambda b: b["envelopes"][0].update(proof=b["envelopes"][1]["proof"]), "inclusion"),
    "no proof": (lambda b: b["envelopes"][0].update(proof=[]), "inclusion"),
    "two envelopes swapped": (lambda b: _swap(b, 3, 4), "order"),
    "an envelope twice": (lambda b: b["envelopes"].insert(1, b["envelopes"][0]), "order"),
    "the outcome twice": (lambda b: b["envelopes"].append(b["envelopes"][-1]), "order"),
    "the outcome first": (lambda b: b["envelopes"].insert(0, b["envelopes"].pop()), "order"),
    "another origin": (
        lambda b: b.update(checkpoint=_replace_in(b["checkpoint"], "fairlead/shop", "fairlead/shoq")),
        "checkpoint",
    ),
    "a signature line of nobody": (
        lambda b: b.update(checkpoint=_replace_in(b["checkpoint"], "\u2014 fairlead/shop", "\u2014 witness")),
        "checkpoint",
    ),
}


@pytest.mark.parametrize(("change", "rule"), ALTERATIONS.values(), ids=ALTERATIONS)
def test_an_altered_bundle_is_refused(change, rule):
    assert rule in altered(change)


def test_a_checkpoint_of_another_tree_is_refused():
    bundle = w.told(w.succeeded).bundle()
    bundle["checkpoint"] = w.told(w.rolled_back).checkpoint()
    assert w.judged(bundle).failed == ("inclusion",)


def test_an_older_checkpoint_does_not_fit_the_proofs():
    world = w.told(w.succeeded)
    bundle = world.bundle()
    bundle["checkpoint"] = world.checkpoint(len(world.leaves) - 1)
    assert w.judged(bundle).failed == ("inclusion",)


def test_a_checkpoint_of_another_project_is_refused():
    world = w.told(w.succeeded)
    bundle = world.bundle()
    bundle["checkpoint"] = world.checkpoint(project="bank")
    assert w.judged(bundle).failed == ("checkpoint",)


def test_a_second_signature_by_our_key_that_does_not_hold_spoils_the_note():
    world = w.told(w.succeeded)
    bundle = world.bundle()
    wrong = world.checkpoint(1).splitlines()[-1]
    bundle["checkpoint"] += wrong + "\n"
    assert w.judged(bundle).failed == ("checkpoint",)


def test_signatures_of_witnesses_are_no_harm():
    world = w.told(w.succeeded)
    bundle = world.bundle()
    bundle["checkpoint"] += "\u2014 witness.example/w1 AAAAAAAA\n"
    assert w.judged(bundle).verified


@pytest.mark.parametrize("name", names_of(w.rolled_back))
def test_an_envelope_that_is_not_in_the_ledger_is_refused(name):
    world = w.told(w.rolled_back)
    bundle = world.bundle()
    forged = w.told(w.rolled_back, tamper={name: lambda d: d["predicate"].update(extra=True)})
    at = names_of(w.rolled_back).index(name)
    bundle["envelopes"][at]["envelope"] = forged.leaves[forged.names[name]]
    assert "inclusion" in w.judged(bundle).failed


def test_a_ledger_that_is_no_continuation_is_refused():
    older = w.told(w.succeeded, tamper={"old release": lambda d: d["predicate"].update(extra=True)})
    world = w.told(w.succeeded)
    assert w.judged(world.bundle(since=5), since=older.checkpoint(5)).failed == ("consistency",)
    proof = tuple(world.bundle(since=5)["consistency"]["proof"])
    assert w.judged(world.bundle(), since=older.checkpoint(5), consistency=proof).failed == ("consistency",)


def test_continuation_cannot_be_believed_without_proof():
    world = w.told(w.succeeded)
    assert w.judged(world.bundle(), since=world.checkpoint(5)).failed == ("consistency",)


def test_a_proof_in_the_bundle_is_checked_also_when_nobody_asks():
    bundle = w.told(w.succeeded).bundle(since=5)
    bundle["consistency"]["proof"].pop()
    assert w.judged(bundle).failed == ("consistency",)


def test_the_older_checkpoint_must_be_signed_too():
    world = w.told(w.succeeded)
    proof = tuple(world.bundle(since=5)["consistency"]["proof"])
    for older in (world.checkpoint(5, key="mallory"), world.checkpoint(5, project="bank")):
        assert w.judged(world.bundle(), since=older, consistency=proof).failed == ("consistency",)


def test_the_ledger_cannot_shrink():
    world = w.told(w.succeeded)
    newer, bundle = world.checkpoint(), world.bundle()
    size = len(world.leaves) - 3
    bundle["checkpoint"] = world.checkpoint(size)
    assert "consistency" in w.judged(bundle, since=newer, consistency=()).failed
