"""Plans: what will be executed, and what one target is told."""

import pytest
from sqlmodel import Session

from fairlead.commands import catalogue
from fairlead.commands.plans import address, addresses, make_plan, rendered, target_spec
from fairlead.commands.previews import preview
from fairlead.contracts.canonical import digest_of
from fairlead.contracts.release import Plan
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotFound
from fairlead.store import deployments
from tests.commands.world import World, digest


def plan_of(world: World, s: Session, version: str, environment: str = "prod") -> Plan:
    return make_plan(s, catalogue.of_project(s, "shop"), environment, world.release(version))


def test_a_plan_says_in_which_wave_and_order_what_runs_where(world: World) -> None:
    with world.db.session() as s:
        plan = plan_of(world, s, "1.0.0")
    assert [(t.name, t.type, t.wave) for t in plan.targets] == [
        ("prod-1", "docker_host", 0),
        ("prod-2", "docker_host", 1),
    ]
    assert [c.name for c in plan.targets[0].components] == ["api", "web"]
    assert plan.targets[0].components[1].digest == digest("web 1.0.0")
    assert (plan.strategy.type, plan.strategy.batch, plan.on_failure) == ("rolling", 1, "rollback")


def test_configuration_is_template_then_environment_then_target(world: World) -> None:
    world.document["targets"]["prod-2"]["config"]["env"] = {"GREETING": "salut"}
    world.apply()
    with world.db.session() as s:
        plan = plan_of(world, s, "1.0.0")
        configs = [rendered(s, target.components[1].config) for target in plan.targets]
    assert [config.env["GREETING"] for config in configs] == ["bonjour", "salut"]
    assert [config.ports for config in configs] == [("8080:8080",), ("9080:8080",)]
    assert configs[0].command == ("./serve", "--port", "8080")


def test_the_same_catalogue_and_release_give_the_same_plan(world: World) -> None:
    with world.db.session() as s:
        release = world.release("1.0.0")
        shop = catalogue.of_project(s, "shop")
        assert digest_of(make_plan(s, shop, "prod", release)) == digest_of(make_plan(s, shop, "prod", release))


def test_a_frozen_template_does_not_follow_the_catalogue_but_the_layers_do(world: World) -> None:
    release = world.release("1.0.0")
    world.document["components"]["web"]["env"]["WORKERS"] = 9
    world.document["environments"]["prod"]["config"]["env"]["GREETING"] = "salut"
    world.apply()
    with world.db.session() as s:
        plan = make_plan(s, catalogue.of_project(s, "shop"), "prod", release)
        env = rendered(s, plan.targets[0].components[1].config).env
    assert env == {"WORKERS": "2", "GREETING": "salut"}


def test_an_environment_that_is_not_there_is_not_found(world: World) -> None:
    with world.db.session() as s, pytest.raises(NotFound) as refused:
        plan_of(world, s, "1.0.0", "prdo")
    assert refused.value.code is Code.ENVIRONMENT_NOT_FOUND


def test_a_preview_of_a_first_deployment_creates_everything(world: World) -> None:
    release = world.release("1.0.0")
    with world.db.session() as s:
        shown = preview(s, catalogue.of_project(s, "shop"), "dev", release)
    assert {(c.action, c.old_digest) for c in shown.targets[0].components} == {("create", None)}
    assert shown.digest == digest_of(shown.plan)


def test_a_preview_tells_what_changes_from_what_was_verified(world: World) -> None:
    world.release("1.0.0")
    world.deploy("1.0.0")
    world.images.tags["oci-layout:shop/web", "1.0.0"] = digest("web 1.1.0")
    release = world.release("1.1.0", names=("api",))
    with world.db.session() as s:
        shown = preview(s, catalogue.of_project(s, "shop"), "dev", release).targets[0]
    assert shown.release == "1.0.0"
    assert [(c.name, c.action, c.old_digest, c.new_digest) for c in shown.components] == [
        ("api", "change", digest("api 1.0.0"), digest("api 1.1.0"))
    ]
    assert shown.removed == ("web",)


def test_a_preview_of_what_runs_keeps_it(world: World) -> None:
    release = world.release("1.0.0")
    world.deploy("1.0.0")
    with world.db.session() as s:
        shown = preview(s, catalogue.of_project(s, "shop"), "dev", release).targets[0]
    assert {c.action for c in shown.components} == {"keep"}


def test_a_target_is_told_its_part_of_the_plan(world: World) -> None:
    world.images.indexes[digest("web 1.0.0")] = {"linux/amd64": digest("amd")}
    world.release("1.0.0")
    deployment = world.deploy("1.0.0", "prod")
    with world.db.session() as s:
        task = deployments.task(s, deployment.id, "prod-2")
        assert task is not None
        spec = target_spec(s, deployment, task)
    assert (spec.target, spec.release, spec.decision) == ("prod-2", "1.0.0", deployment.decision)
    assert spec.endpoint == "unix:///var/run/docker.sock"
    assert [component.name for component in spec.components] == ["api", "web"]
    web = spec.components[1]
    assert digest_of(web.config) == web.config_digest
    assert web.accepts(digest("amd"))
    assert address(spec).endpoint == spec.endpoint


def test_addresses_are_those_of_the_catalogue(world: World) -> None:
    with world.db.session() as s:
        found = addresses(catalogue.of_project(s, "shop"), "prod")
    assert [address.target for address in found] == ["prod-1", "prod-2"]
