"""What people do with targets at a terminal."""

from fairlead.contracts.names import promotion_subject
from tests.api.office import Office
from tests.cli.terminal import Terminal


def test_targets_are_listed_put_into_maintenance_and_retired(office: Office, ana: Terminal):
    office.shop.succeed(office.shop.open_deployment(office.promotion(environment="dev")))
    assert "process_host" in ana.run("target", "list").out
    assert [t["name"] for t in ana.json("target", "list", "--label", "a=b")["items"]] == []
    assert ana.run("target", "maintenance", "stg-2", "--reason", "new disk", "--for", "1h").code == 0
    assert "skips stg-2: maintenance until" in ana.run("plan", "1.0.0", "staging").out
    assert "skips stg-2" in ana.run("why", "staging").out
    assert ana.json("target", "activate", "stg-2")["state"] == "active"
    assert "remove" in ana.run("target", "retire", "dev-1", "--dry-run").out
    assert "hand over" in ana.run("target", "retire", "dev-1", "--dry-run", "--hand-over").out
    assert "retires dev-1 of dev" in ana.run("target", "retire", "dev-1", "--reason", "sold").out
    assert ana.json("environment", "retire", "staging", "--reason", "merged")["retired"] is True
    nothing = ana.run("component", "retire", "web", "--environment", "prod", "--reason", "gone")
    assert "nothing ran there" in nothing.err
    assert "promotions bring it" in ana.run("component", "activate", "web", "--env", "prod").err
    wrong = ana.run("target", "maintenance", "stg-9", "--reason", "x")
    assert (wrong.code, "did you mean stg-2 or stg-1" in wrong.err) == (4, True)


def test_what_is_handed_over_is_told_so(office: Office, ana: Terminal):
    office.shop.succeed(office.shop.open_deployment(office.promotion(environment="dev")))
    alone = ana.run("component", "retire", "web", "--env", "dev", "--reason", "x", "--hand-over")
    assert (alone.code, "hand over the target or the environment" in alone.err) == (2, True)
    assert "hands over dev-1 of dev" in ana.run("target", "retire", "dev-1", "--reason", "sold", "--hand-over").out
    assert "retiring (to be handed over)" in ana.run("target", "list").out
    [status] = [t["status"] for t in ana.json("target", "list")["items"] if t["name"] == "dev-1"]
    for state in ("evaluating", "queued", "deploying", "succeeded"):
        office.shop.append(promotion_subject(status["promotion"]), state, state=state)
    for told in (("target", "list"), ("why", "dev"), ("observe", "dev"), ("status", "dev")):
        assert "retired (handed over)" in ana.run(*told).out, told


def test_a_check_tells_what_is_wrong_and_exits_so(office: Office, ana: Terminal):
    office.orchestrator.broken = {"stg-2"}
    good = ana.run("target", "check", "stg-1")
    assert (good.code, "✓ connects" in good.out) == (0, True)
    bad = ana.run("target", "check", "--all")
    assert (bad.code, "✗ connects" in bad.out) == (1, True)
    assert ana.run("target", "check").code == 2
