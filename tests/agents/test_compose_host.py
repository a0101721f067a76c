"""What is special to Compose hosts: whole stacks, support services, networks, volumes, one-shots, secrets as files, and what comes back."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from fairlead.contracts.target import ComponentSpec, TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Refused
from fairlead.domain.fence import Claim
from fairlead.domain.health import Health
from tests.fakes.secrets import MemorySecrets
from tests.fixtures.compose import ComposeHarness, standing_in
from tests.targets.bench import Bench, eventually, nobeat, with_config, with_secrets
from tests.targets.harness import Tally

pytestmark = pytest.mark.docker

USUAL = {"network_mode": "bridge", "restart": "unless-stopped"}
BUSYBOX = "/bin/busybox"


@pytest.fixture
def bench(compose_harness: ComposeHarness) -> Iterator[Bench]:
    bench = Bench(compose_harness)
    yield bench
    bench.close()


@pytest.fixture
def harness(compose_harness: ComposeHarness) -> ComposeHarness:
    return compose_harness


def within(component: ComponentSpec, services: dict[str, Any], **rest: Any) -> ComponentSpec:
    """The component in a compose file with these other services; its own has what `web` says there."""
    return standing_in(component, yaml.safe_dump({"services": {"web": USUAL, **services}, **rest}), "web")


def stack(
    bench: Bench, version: str, services: dict[str, Any], env: dict[str, str] | None = None, **rest: Any
) -> TargetSpec:
    component = within(bench.component(bench.harness.image(version), env), services, **rest)
    return bench.spec(component, release=version, deadline=20.0)


def pinned(bench: Bench) -> str:
    image = bench.harness.image("1.0.0")
    return f"{image.repository}@{image.digest}"


def containers(harness: ComposeHarness, bench: Bench) -> dict[str, Any]:
    return {container.name.rpartition("-")[2]: container for container in harness.containers(bench.address)}


def support(bench: Bench) -> dict[str, Any]:
    """A database of sorts, on a network of its own with a volume, that another service prepares."""
    image = bench.harness.image("3.0.0")
    keep = [
        BUSYBOX,
        "sh",
        "-c",
        "echo $$(( $$(cat /data/n 2>/dev/null) + 1 )) > /data/n; exec /bin/busybox httpd -f -p 5432",
    ]
    db = {
        "image": f"{image.repository}@{image.digest}",
        "command": keep,
        "volumes": ["data:/data"],
        "healthcheck": {"test": ["CMD", BUSYBOX, "wget", "-qO-", "http://127.0.0.1:5432/VERSION"], "interval": "300ms"},
        "stop_grace_period": "0s",
    }
    waits = {"db": {"condition": "service_healthy"}}
    migrate = {
        "image": pinned(bench),
        "command": [BUSYBOX, "wget", "-qO-", "http://db:5432/VERSION"],
        "depends_on": waits,
    }
    web = {"restart": "always", "depends_on": {"migrate": {"condition": "service_completed_successfully"}}}
    return {"web": web, "db": db, "migrate": migrate}


def test_a_whole_stack_comes_up_in_its_order_and_only_what_changed_is_replaced(
    bench: Bench, harness: ComposeHarness
) -> None:
    old, new = (stack(bench, version, support(bench), volumes={"data": None}) for version in ("1.0.0", "2.0.0"))
    bench.apply(old, 1)
    first = containers(harness, bench)
    assert bench.runs(old)
    assert [first[name].labels["fairlead.fence"] for name in ("web", "db", "migrate")] == ["1.1"] * 3
    bench.apply(new, 2)
    second = containers(harness, bench)
    assert bench.runs(new)
    assert (second["db"].id, second["web"].id != first["web"].id) == (first["db"].id, True)
    bench.harness.executor().retire(new, Claim(3, 1), nobeat)
    assert (containers(harness, bench), harness.networks(bench.address)) == ({}, [])
    assert [volume.name for volume in harness.volumes(bench.address, "data")] == [f"suite-test-{bench.target}_data"]


def test_a_failure_brings_the_whole_old_stack_back(bench: Bench, harness: ComposeHarness) -> None:
    bench.apply(old := stack(bench, "1.0.0", {"aid": {**USUAL, "image": pinned(bench)}}), 1)
    changed = {
        "aid": {**USUAL, "image": pinned(bench), "environment": {"NEW": "1"}},
        "more": {**USUAL, "image": pinned(bench)},
    }
    with pytest.raises(Refused) as refusal:
        bench.apply(stack(bench, "2.0.0", changed, {"CRASH": "1"}), 2)
    assert refusal.value.code == Code.START_FAILED
    assert refusal.value.fields["restored"] == ["web 1.0.0 runs again"]
    assert bench.runs(old)
    back = containers(harness, bench)
    assert sorted(back) == ["aid", "web"]
    assert "NEW=1" not in (back["aid"].attrs["Config"]["Env"] or [])
    assert {c.labels["fairlead.fence"] for c in back.values()} == {"1.1"}


def test_a_one_shot_that_fails_is_told_from_what_does_not_start(bench: Bench) -> None:
    bench.apply(old := bench.of("1.0.0"), 1)
    migrate = {
        "network_mode": "bridge",
        "image": pinned(bench),
        "command": [BUSYBOX, "sh", "-c", "echo no table; exit 7"],
    }
    web = {**USUAL, "depends_on": {"migrate": {"condition": "service_completed_successfully"}}}
    with pytest.raises(Refused) as refusal:
        bench.apply(stack(bench, "2.0.0", {"web": web, "migrate": migrate}), 2)
    assert (refusal.value.code, refusal.value.fields["component"]) == (Code.ONE_SHOT_FAILED, "migrate")
    assert "exit code 7" in refusal.value.detail
    assert "no table" in refusal.value.fields["log"]
    assert bench.runs(old)


def test_the_files_own_healthcheck_counts_beside_ours(bench: Bench) -> None:
    web = {**USUAL, "healthcheck": {"test": ["CMD", BUSYBOX, "false"], "interval": "200ms", "retries": 1}}
    with pytest.raises(Refused) as refusal:
        bench.apply(stack(bench, "1.0.0", {"web": web}), 1)
    assert refusal.value.code in {Code.UNHEALTHY, Code.START_FAILED}
    assert bench.see() == {}


def test_a_support_service_that_died_is_told(bench: Bench, harness: ComposeHarness) -> None:
    bench.apply(stack(bench, "1.0.0", {"aid": {"network_mode": "bridge", "image": pinned(bench)}}), 1)
    containers(harness, bench)["aid"].kill()
    executor = bench.harness.executor()
    assert eventually(lambda: "aid: exited" in (executor.observe(bench.address).detail or ""))
    assert bench.see()["web"].health == Health.HEALTHY


def test_a_mounted_secret_is_a_file_that_no_inspection_shows(bench: Bench, harness: ComposeHarness) -> None:
    safe, value = MemorySecrets(), "pä$$ \"w'\nörd"
    component = with_secrets(bench.component(bench.harness.image("1.0.0")), TOKEN=safe.put("vault://kv/a#b", value))
    web = {**USUAL, "secrets": [{"source": "token", "target": "/run/own/token"}]}
    component = within(component, {"web": web}, secrets={"token": {"environment": "TOKEN"}})
    bench.apply(spec := bench.spec(component), 1, secrets=safe)
    running = harness.running(bench.address, "web")
    assert running.exec_run([BUSYBOX, "cat", "/run/own/token"]).output.decode() == value
    assert "pä" not in json.dumps(running.attrs, ensure_ascii=False) + harness.traces(bench.address)
    [sent] = harness.executor(None, safe).apply(spec, Claim(1, 2), nobeat)
    assert ("pä" in sent.content, "vault://kv/a#b" in sent.content) == (False, True)


def test_values_reach_the_application_as_they_are(bench: Bench, harness: ComposeHarness) -> None:
    odd = "a b'c\"d\\ $HOME ${X:-y} $$ `id` #x: {y}\n- zwölf 🚢 %s \t"
    bench.apply(spec := bench.of("1.0.0", {"ODD": odd, "EMPTY": "", "NUMBER": "0o17", "TRUTH": "yes"}), 1)
    assert bench.runs(spec)
    for name, value in (("ODD", odd), ("EMPTY", ""), ("NUMBER", "0o17"), ("TRUTH", "yes")):
        assert harness.given(bench.address, "web", name) == value


def test_profiles_and_what_is_allowed_are_the_targets(bench: Bench, harness: ComposeHarness) -> None:
    services = {"debug": {**USUAL, "image": pinned(bench), "profiles": ["debug"], "uts": "host"}}
    plain = stack(bench, "1.0.0", services)
    options = {"profiles": ["debug"], "allow": ["host_namespace"]}
    more = plain.components[0].model_copy(
        update={"config": plain.components[0].config.model_copy(update={"options": options})}
    )
    bench.apply(plain, 1)
    assert sorted(containers(harness, bench)) == ["web"]
    bench.apply(bench.spec(more), 2)
    assert sorted(containers(harness, bench)) == ["debug", "web"]


def test_what_was_sent_is_the_lock_and_it_is_what_was_kept(bench: Bench, harness: ComposeHarness) -> None:
    spec = bench.of("1.0.0")
    executor = harness.executor()
    executor.prepare(spec, nobeat)
    [sent] = executor.apply(spec, Claim(1, 1), nobeat)
    [kept] = harness.volumes(bench.address, "lock")
    assert sent.name == "compose.fairlead.lock.yml"
    assert kept.attrs["Labels"]["fairlead.lock"] == sent.content


def test_a_large_file_can_be_gone_back_to(bench: Bench) -> None:
    old = stack(bench, "1.0.0", {}, **{"x-notes": ["n" * 70] * 2900})
    assert len(next(iter(old.components[0].files.values()))) > 200_000
    bench.apply(old, 1)
    with pytest.raises(Refused):
        bench.apply(bench.of("2.0.0", {"CRASH": "1"}), 2)
    assert bench.runs(old)


@pytest.mark.parametrize(
    ("web", "code"),
    [
        ({"depends_on": ["nobody"]}, Code.COMPOSE_REFUSED),
        ({"depends_on": ["web"]}, Code.COMPOSE_REFUSED),
        ({"volumes": ["undeclared:/data"]}, Code.COMPOSE_REFUSED),
        ({"ulimits": "many"}, Code.COMPOSE_REFUSED),
        ({"volumes": ["/etc:/etc"]}, Code.COMPOSE_REFUSED),
        ({"hostname": "${NOBODY}"}, Code.VARIABLE_MISSING),
    ],
)
def test_a_file_that_cannot_be_carried_out_is_refused_before_any_change(
    bench: Bench, web: dict[str, Any], code: Code
) -> None:
    with pytest.raises(BadInput) as refusal:
        bench.harness.executor().prepare(stack(bench, "1.0.0", {"web": web}), nobeat)
    assert refusal.value.code == code
    assert bench.tally() == Tally(0, 0)


def test_components_stand_in_one_file_and_say_so(bench: Bench) -> None:
    image = bench.harness.image("1.0.0")
    one = bench.component(image, name="web")
    silent = with_config(standing_in(one, "services: {web: {}}"), run=None)
    with pytest.raises(BadInput) as refusal:
        bench.harness.executor().prepare(bench.spec(silent), nobeat)
    assert refusal.value.code == Code.MISSING_FIELD


def test_somebody_elses_project_of_our_name_is_left_alone(bench: Bench, harness: ComposeHarness) -> None:
    bench.harness.executor().prepare(bench.of("1.0.0"), nobeat)
    labels = {"com.docker.compose.project": f"suite-test-{bench.target}", "com.docker.compose.service": "web"}
    theirs = harness.api.containers.run(pinned(bench), detach=True, labels=labels, name=f"theirs-{bench.target}")
    try:
        for call in (
            lambda: harness.executor().prepare(bench.of("1.0.0"), nobeat),
            lambda: harness.executor().apply(bench.of("1.0.0"), Claim(1, 1), nobeat),
        ):
            with pytest.raises(Refused) as refusal:
                call()
            assert refusal.value.code == Code.FOREIGN_WORKLOAD
        theirs.reload()
        assert theirs.status == "running"
    finally:
        theirs.remove(force=True)
