"""What everything that can tell says of a promotion that went through a fault: the target, the store, the ledger, and `why`."""

from typing import Any

from agents.process_host.processes import identify
from tests.system.shop import QUICK, Shop

PATIENT = {**QUICK, "healthy_deadline": "120s"}
"""For targets that are kept from becoming healthy until something else is back."""
SHORT = {**QUICK, "healthy_deadline": "8s"}
"""For what never becomes healthy; what ran before must come back in this time, too."""


def ended(shop: Shop, id: str, state: str = "succeeded", code: str | None = None) -> Any:
    """The promotion, once ended, as it should; what is sealed verifies and says the same, and `why` names what ended it."""
    view = shop.ends(id)
    assert (view["state"], view["code"]) == (state, code), view
    assert shop.verified(id).state == state
    assert list(shop.why(id)) == ([] if code is None else [code])
    terminal = [event for event in shop.events(id) if event["type"] == "ended"]
    assert len(terminal) == 1, terminal
    return view


def started_once(shop: Shop, target: str, *digests: str) -> None:
    """What the target's supervisor wrote down: these were started, in this order, each once, and what was started last still runs."""
    starts = shop.starts(target)
    assert [start["digest"] for start in starts] == list(digests)
    pid = int(starts[-1]["process"].partition("@")[0])
    assert str(identify(pid)) == starts[-1]["process"]


def tasks_are(shop: Shop, id: str, state: str) -> None:
    """What the store says of the work on each target."""
    assert {task["state"] for task in shop.view(id)["tasks"]} == {state}
