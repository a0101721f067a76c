"""What targets say beforehand: what would change, and what would be in the way; nothing is changed by it, and no value shown that may be secret."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.ecs_service import document, sameness
from agents.ecs_service import forecast as of_ecs
from agents.nomad_job import forecast as of_nomad
from fairlead.contracts.target import TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused, Unavailable
from fairlead.domain.fence import Claim
from fairlead.domain.forecast import Forecast
from fairlead.ports import Forecasts
from tests.agents.test_compose_host import USUAL, pinned, stack
from tests.agents.test_ecs_parts import DIGEST, PLACE, component, spec
from tests.fakes.secrets import MemorySecrets
from tests.fixtures.compose import ComposeHarness
from tests.fixtures.ecs import EcsHarness
from tests.fixtures.nomad import NomadDoubleHarness
from tests.targets.bench import Bench, with_config, with_secrets
from tests.targets.keeping import apply, secretive

RECORDED = json.loads((Path(__file__).parent / "nomad_recordings" / "02-plan-and-check-and-set.json").read_text())
HUSH = "hush-hush-4711"
BEFORE, AFTER = (
    "09381a1c16361f1e817191f529a024b4f6aff4fa56e69174b61f996032b93839",
    "adbe54cef4779d053e1e29914fd689f0d37001f1d71e82d3237167009446cf7d",
)


def recorded(note: str) -> Forecast:
    """What is told of an answer that a real Nomad gave."""
    [said] = [e["answer"] for e in RECORDED if e["call"].endswith("/plan") and note in e.get("note", "")]
    return of_nomad.told("shop-web-02", said)


@pytest.mark.parametrize(
    ("note", "lines"),
    [
        ("does not exist", ["job shop-web-02 is new", "group web is new: 2 create", "web.Count: nothing -> 2", "task web.web is new",
                            f"web.web.Config.image: nothing -> 127.0.0.1:5001/shop/web@sha256:{BEFORE}"]),
        ("unchanged", ["job shop-web-02 stays as it is", "group web, first: 2 ignore"]),
        ("changed image", ["job shop-web-02 changes", "Meta[fairlead.release]: 1.0.0 -> 1.1.0", "group web, first: 1 create/destroy update, 1 ignore",
                           "task web.web changes",
                           f"web.web.Config.image: 127.0.0.1:5001/shop/web@sha256:{BEFORE} -> 127.0.0.1:5001/shop/web@sha256:{AFTER}"]),
        ("count change", ["job shop-web-02 changes", "group web, first: 1 create, 2 in-place update", "web.Count: 2 -> 3"]),
        ("only job meta", ["job shop-web-02 changes", "group web, first: 1 create/destroy update, 1 ignore"]),
        ("only the update block", ["job shop-web-02 changes", "group web, first: 2 in-place update", "web.Update.Canary: 0 -> 1"]),
    ],
)  # fmt: skip
def test_recorded_plans_of_nomad_as_they_are_told(note: str, lines: list[str]) -> None:
    told = recorded(note)
    assert [line for line in told.lines if not line.startswith("Nomad warns")] == lines
    assert told.hindrance is None


def test_a_recorded_plan_that_could_not_be_placed_says_what_is_in_the_way() -> None:
    told = recorded("cannot be placed")
    assert told.hindrance
    assert told.hindrance.code == Code.PLACEMENT_FAILED


# on the double


@pytest.fixture
def bench(nomad_double_harness: NomadDoubleHarness) -> Iterator[Bench]:
    bench = Bench(nomad_double_harness)
    yield bench
    bench.close()


def told(bench: Bench, what: TargetSpec) -> Forecast:
    executor = bench.harness.executor()
    assert isinstance(executor, Forecasts)
    return executor.forecast(what)


def test_nomad_says_what_would_change_and_changes_nothing(
    bench: Bench, nomad_double_harness: NomadDoubleHarness
) -> None:
    old, new = bench.of("1.0.0", {"KEY": "one"}), bench.of("2.0.0", {"KEY": HUSH})
    assert told(bench, old).lines[:2] == (f"job suite-test-{bench.target} is new", "group main is new: 1 create")
    bench.apply(old, 1)
    before = len(nomad_double_harness.double.calls)
    said = told(bench, new).lines
    assert "Meta[fairlead.release]: 1.0.0 -> 2.0.0" in said
    assert "group main, first: 1 create/destroy update" in said
    assert any(document_of(old) in line and document_of(new) in line for line in said)
    assert any("KEY" in line for line in said)
    assert HUSH not in str(said)
    writes = [call for call in nomad_double_harness.double.calls[before:] if not call.startswith("GET ")]
    assert writes == ["POST /v1/validate/job", f"POST /v1/job/suite-test-{bench.target}/plan"]


def document_of(what: TargetSpec) -> str:
    return what.components[0].digest


def test_nomad_needs_no_secret_to_say_it(bench: Bench) -> None:
    safe = MemorySecrets()
    apply(bench, secretive(bench, safe.put("vault://kv/x#y", HUSH)), 1, safe)
    said = told(bench, secretive(bench, safe.put("vault://kv/x#y", f"{HUSH}-2"), version="2.0.0"))
    assert said.hindrance is None
    assert HUSH not in str(said)


def test_what_would_be_in_the_way_on_nomad_is_told_with_the_rest(bench: Bench) -> None:
    with bench.harness.occupy(bench.port):
        said = told(bench, bench.of("1.0.0"))
    assert said.hindrance
    assert said.hindrance.code == Code.PORT_TAKEN
    assert said.lines


def test_a_nomad_that_is_away_and_a_job_of_somebody_else_have_their_codes(bench: Bench) -> None:
    away = bench.of("1.0.0").model_copy(update={"endpoint": bench.harness.unreachable()})
    with pytest.raises(Unavailable) as error:
        told(bench, away)
    assert error.value.code == Code.TARGET_UNREACHABLE
    task = {"Name": "t", "Driver": "docker", "Config": {"image": "foreign:1"}}
    foreign = {"ID": f"suite-test-{bench.target}", "TaskGroups": [{"Name": "g", "Tasks": [task]}]}
    bench.harness.call("POST", "jobs", {"Job": foreign})  # type: ignore[attr-defined]
    with pytest.raises(Refused) as refusal:
        told(bench, bench.of("1.0.0"))
    assert refusal.value.code == Code.FOREIGN_WORKLOAD


# by comparing


def definition(what: TargetSpec, number: int = 1) -> dict[str, Any]:
    return document.definition(what, Claim(number, 1), PLACE, {})


SERVICE = {"desiredCount": 2, "deploymentConfiguration": {"maximumPercent": 200}}


@pytest.mark.parametrize(
    ("changes", "options", "lines"),
    [
        ({}, {}, []),
        ({"env": {"KEY": HUSH}}, {}, ["containerDefinitions.web.environment comes"]),
        ({"command": ("serve", HUSH)}, {}, ["containerDefinitions.web.command comes"]),
        ({"repository": "r.example/other"}, {}, [f"containerDefinitions.web.image: r.example/web@{DIGEST} -> r.example/other@{DIGEST}"]),
        ({}, {"count": 3}, ["desiredCount: 2 -> 3"]),
        ({}, {"service": {"deploymentConfiguration": {"maximumPercent": 100}}}, ["deploymentConfiguration.maximumPercent: 200 -> 100"]),
    ],
)  # fmt: skip
def test_ecs_is_told_by_what_would_be_asked_for(
    changes: dict[str, Any], options: dict[str, Any], lines: list[str]
) -> None:
    new = spec(with_config(component(), **changes, **({"options": options} if options else {})))
    said = list(of_ecs.lines(new, "s", SERVICE, definition(new, 2), definition(spec())))
    rest = [
        line for line in said[1:] if "deploymentCircuitBreaker" not in line and "has another configuration" not in line
    ]
    assert (said[0], rest) == ("service s: all tasks are replaced", lines)
    assert HUSH not in str(said)


def test_another_version_of_a_secret_is_another_configuration_and_nothing_else() -> None:
    old, new = (
        spec(with_secrets(component(), TOKEN=MemorySecrets().put("vault://kv/x#y", value))) for value in ("a", "b")
    )
    new = new.model_copy(
        update={"components": (new.components[0].model_copy(update={"config_digest": "sha256:" + "e" * 64}),)}
    )
    assert [path for path, _, _ in sameness.differing(definition(new), definition(old))] == [
        "containerDefinitions.web.dockerLabels.fairlead.config"
    ]
    assert (
        list(of_ecs.lines(new, "s", SERVICE, definition(new), definition(old)))[-1]
        == "containerDefinitions.web has another configuration"
    )


# on what is there


@pytest.mark.docker
def test_ecs_is_asked_and_nothing_is_changed(ecs_harness: EcsHarness) -> None:
    bench = Bench(ecs_harness)
    try:
        assert told(bench, bench.of("1.0.0")).lines[0] == f"service suite-test-{bench.target} is new, tasks: 1"
        bench.apply(old := bench.of("1.0.0"), 1)
        before = standing(ecs_harness, bench)
        assert told(bench, old).lines == (f"service suite-test-{bench.target}: all tasks are replaced",)
        said = told(bench, bench.of("2.0.0", {"KEY": HUSH}))
        assert (said.hindrance, HUSH in str(said.lines)) == (None, False)
        assert any(line.startswith("containerDefinitions.web.image: ") for line in said.lines)
        assert standing(ecs_harness, bench) == before
    finally:
        bench.close()


def standing(harness: EcsHarness, bench: Bench) -> tuple[Any, ...]:
    """All that a claim would change."""
    service = harness.service(bench.address)
    revisions = harness.ecs.list_task_definitions(familyPrefix=f"suite-test-{bench.target}")["taskDefinitionArns"]
    return service["taskDefinition"], service["desiredCount"], service["tags"], revisions


@pytest.mark.docker
def test_what_becomes_of_each_service_of_a_stack_is_told(compose_harness: ComposeHarness) -> None:
    bench = Bench(compose_harness)
    aid = {**USUAL, "image": pinned(bench)}
    try:
        bench.apply(stack(bench, "1.0.0", {"aid": aid, "old": aid}), 1)
        before = {box.id for box in compose_harness.containers(bench.address)}
        said = told(bench, stack(bench, "2.0.0", {"aid": aid, "more": aid}, {"KEY": HUSH}))
        assert said.hindrance is None
        assert {"web is replaced", "aid stays as it is", f"more is new: {pinned(bench)}", "old goes"} <= {*said.lines}
        assert "web.environment comes" in said.lines
        assert any(line.startswith("web.image: ") for line in said.lines)
        assert HUSH not in str(said)
        assert {box.id for box in compose_harness.containers(bench.address)} == before
    finally:
        bench.close()
