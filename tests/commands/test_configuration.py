"""Layers above a release: of the installation, the catalogue, the release and the request; and what explains them."""

from typing import Any

import pytest

from fairlead.commands import catalogue
from fairlead.commands.configuration import Layering, explain, global_config, set_global_config
from fairlead.commands.plans import frozen_components, make_plan, rendered
from fairlead.commands.promotions import retry
from fairlead.contracts.records import PromotionRecord, ReleaseRecord
from fairlead.contracts.release import RenderedConfig
from fairlead.contracts.steps import Append
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Conflict
from fairlead.store import history, promotions
from tests.commands.world import World, at


def configured(world: World, release: ReleaseRecord, promotion: PromotionRecord | None = None) -> RenderedConfig:
    """How web is rendered on prod-1."""
    with world.db.session() as s:
        plan = make_plan(s, catalogue.of_project(s, "shop"), "prod", release, promotion=promotion)
        return rendered(s, plan.targets[0].components[1].config)


def say_everywhere(world: World) -> None:
    """Every layer says BY, and one thing of its own."""
    set_global_config(world.db, {"env": {"BY": "global", "G": "1"}}, actor="root", now=at(0))
    world.document["config"] = {"env": {"BY": "project", "P": "1"}}
    world.apply()


def test_layers_go_over_each_other_in_order(world: World) -> None:
    say_everywhere(world)
    release = world.release("1.0.0", config={"env": {"BY": "release"}, "components": {"web": {"command": ["./r"]}}})
    promotion = world.request("1.0.0", config={"components": {"web": {"env": {"BY": "request", "GREETING": None}}}})
    of_release, of_request = configured(world, release), configured(world, release, promotion)
    assert of_release.env == {"BY": "release", "G": "1", "P": "1", "WORKERS": "2", "GREETING": "bonjour"}
    assert of_request.env == {"BY": "request", "G": "1", "P": "1", "WORKERS": "2"}
    assert of_request.command == ("./r",)


def test_every_value_says_which_layer_revision_and_person_it_comes_from(world: World) -> None:
    say_everywhere(world)
    release = world.release("1.0.0")
    with world.db.session() as s:
        shop = catalogue.of_project(s, "shop")
        layering = Layering(s, shop, release)
        web = frozen_components(s, release)["web"]
    told = explain(layering, shop.environments["prod"], shop.targets["prod-1"], web)
    found = {value.pointer: (value.value, value.layer, value.revision, value.actor) for value in told.values}
    assert found["/env/G"] == ("1", "global", "1", "root")
    assert found["/env/BY"] == ("project", "project", "2", "ana")
    assert found["/env/GREETING"] == ("bonjour", "environment", "2", "ana")
    assert found["/env/WORKERS"] == ("2", "component", release.digest, "ana")


def test_the_installations_layer_is_kept_in_history_and_setting_it_again_is_nothing(world: World) -> None:
    first = set_global_config(world.db, {"env": {"A": "1"}}, actor="root", now=at(0))
    again = set_global_config(world.db, {"env": {"A": 1}, "ports": {}}, actor="eve", now=at(1))
    other = set_global_config(world.db, {"env": {"A": None}}, actor="root", now=at(2))
    assert (first.revision, again, other.revision) == (1, first, 2)
    with world.db.session() as s:
        assert global_config(s) == other
    assert other.config == {"env": {"A": None}}


def test_a_releases_layer_is_part_of_what_it_is(world: World) -> None:
    plain = world.release("1.0.0")
    with pytest.raises(Conflict) as refusal:
        world.release("1.0.0", config={"env": {"A": "1"}})
    assert refusal.value.fields["differs"] == ["/config"]
    assert world.release("1.0.0", config={}).digest == plain.digest
    assert world.release("2.0.0", config={"env": {"A": None}}).manifest.config == {"env": {"A": None}}


def test_a_requests_layer_is_recorded_and_goes_with_a_retry(world: World) -> None:
    world.release("1.0.0")
    first = world.request("1.0.0", config={"env": {"A": "1"}})
    end(world, first)
    again = retry(world.db, first.id, requester="ben", now=at(5))
    with world.db.session() as s:
        assert [promotions.config(s, record.id) for record in (first, again)] == [{"env": {"A": "1"}}] * 2


def end(world: World, promotion: PromotionRecord) -> None:
    with world.db.session() as s:
        for sequence, state in enumerate(("evaluating", "cancelled"), 1):
            subject = f"promotion/{promotion.id}"
            history.append(s, Append(subject=subject, sequence=sequence, type="moved", time=at(2), state=state))


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"env": {"A B": "1"}}, Code.BAD_NAME),
        ({"volumes": {}}, Code.UNKNOWN_FIELD),
        ({"components": {"wbe": {"command": ["x"]}}}, Code.UNKNOWN_NAME),
    ],
)
def test_what_is_no_layer_is_refused_when_it_is_asked_for(world: World, config: dict[str, Any], code: Code) -> None:
    world.release("1.0.0")
    with pytest.raises(BadInput) as refusal:
        world.request("1.0.0", config=config)
    assert refusal.value.code == code
    with pytest.raises(BadInput):
        world.release("2.0.0", config=config)


def test_a_rollback_which_asks_for_no_votes_takes_no_layer(world: World) -> None:
    world.release("1.0.0")
    world.deploy("1.0.0")
    with pytest.raises(BadInput) as refusal:
        world.request("1.0.0", intent="rollback", config={"env": {"A": "1"}})
    assert refusal.value.code == Code.BAD_VALUE
    assert world.request("1.0.0", intent="rollback", config={}).intent == "rollback"


def test_layers_that_contradict_the_rules_together_make_no_plan(world: World) -> None:
    release = world.release("1.0.0")
    promotion = world.request("1.0.0", config={"secrets": {"GREETING": "env://GREETING"}})
    with pytest.raises(BadInput) as refusal:
        configured(world, release, promotion)
    assert refusal.value.code == Code.BAD_VALUE


def test_a_diff_tells_what_changes_in_layers_also_what_is_deleted(world: World) -> None:
    world.document["config"] = {"env": {"A": None}}
    world.document["label_config"] = [{"labels": {"site": "ams"}, "config": {"env": {"B": "1"}}}]
    changes = world.apply(dry_run=True).changes
    assert [(change.kind, change.name, sorted(change.fields)) for change in changes] == [
        ("config", "labels-1", ["env.B", "labels.site"]),
        ("config", "project", ["env.A"]),
    ]
    assert world.apply().revision == 2
    assert world.apply().changes == ()
