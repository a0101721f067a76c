"""What is said of drift, by API and command line."""

from copy import deepcopy

import pytest

from fairlead.contracts.canonical import digest_of
from fairlead.contracts.compare import Difference
from fairlead.contracts.records import LookRecord
from fairlead.contracts.target import TargetObservation
from fairlead.domain.codes import Code
from fairlead.domain.drift import Kind
from fairlead.store import looks, observations
from tests.activities.shop import SHOP, at
from tests.api.office import Office
from tests.cli.terminal import Terminal

GONE = Difference(code=Code.OBSERVATION_DIFFERS, kind=Kind.MISSING, detail="web does not run", component="web")
STATEMENT = digest_of("statement")


@pytest.fixture
def drifted(office: Office) -> str:
    """1.0.0 was verified in dev, and is gone since; the deployment."""
    shop = office.shop
    outline = shop.open_deployment(office.promotion("1.0.0", "dev"))
    shop.succeed(outline)
    content = TargetObservation(target="dev-1", reachable=True).model_dump(mode="json", exclude_none=True)
    with shop.db.session() as s:
        seen = observations.add(
            s, project="shop", environment="dev", target="dev-1", deployment=None, time=at(60), content=content
        )
        looks.put(
            s,
            LookRecord(
                project="shop",
                environment="dev",
                target="dev-1",
                deployment=outline.deployment,
                time=at(120),
                observation=seen.digest,
                seen=(GONE,),
                drift=(GONE,),
                since=at(60),
                statement=STATEMENT,
            ),
        )
    return outline.deployment


def policy(office: Office, policy: str) -> None:
    document = deepcopy(SHOP)
    document["environments"]["dev"]["drift"] = {"policy": policy}
    office.shop.apply(document)


def test_observe_shows_only_drift_when_asked_to(ana: Terminal, drifted: str) -> None:
    [target] = ana.json("observe", "dev", "--drift")["items"]
    assert (target["target"], target["deployment"], target["statement"]) == ("dev-1", drifted, STATEMENT)
    assert (target["drifted_since"], target["observed_at"]) == ("2030-01-01T12:01:00Z", "2030-01-01T12:02:00Z")
    assert [(d["kind"], d["component"]) for d in target["drift"]] == [("missing", "web")]
    said = ana.run("observe", "dev", "--drift").out
    assert "missing" in said
    assert "web does not run" in said
    assert ana.run("observe", "staging", "--drift").out == "staging: no drift\n"
    assert ana.json("status", "dev")["targets"][0]["drifted_since"] == target["drifted_since"]


def test_while_a_deployment_is_under_way_nothing_is_said(office: Office, ana: Terminal, drifted: str) -> None:
    office.shop.open_deployment(office.promotion("1.1.0", "dev"))
    assert ana.json("observe", "dev", "--drift")["items"] == []
    [target] = ana.json("observe", "dev")["items"]
    assert (target["drift"], target["differences"]) == ([], [])


@pytest.mark.parametrize(("what", "blocks"), [("notify", False), ("block", True), ("reconverge", False)])
def test_why_tells_it_and_whether_it_blocks(
    office: Office, ana: Terminal, drifted: str, what: str, blocks: bool
) -> None:
    policy(office, what)
    why = ana.json("why", "dev")
    assert [(reason["code"], reason["details"]["kinds"]) for reason in why["drift"]] == [("drift", ["missing"])]
    assert (why["blocked_by"] == why["drift"]) is blocks
    assert (why["remedy"] is not None) is (what == "reconverge")
    assert "dev-1: web does not run" in ana.run("why", "dev").out


def test_why_says_what_keeps_it_from_being_put_right(office: Office, ana: Terminal, drifted: str) -> None:
    policy(office, "reconverge")
    assert ana.run("hold", "dev", "--reason", "incident").code == 0
    assert "it is not put right during a hold" in ana.run("why", "dev").out
