"""Behaviours of every executor that runs hooks: around the change, once in a deployment, and nothing goes on without them."""

from typing import Any

import pytest

from fairlead.contracts.canonical import digest_of
from fairlead.contracts.target import ComponentSpec, SentFile, TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused
from fairlead.domain.fence import Claim
from tests.fakes.secrets import MemorySecrets
from tests.targets.bench import Bench, nobeat, with_config, with_secrets
from tests.targets.keeping import OTHER, REFERENCE

RANDOM = "/proc/sys/kernel/random/uuid"


def hooks_run_once_around_the_change(bench: Bench) -> None:
    spec = hooked(
        bench, "1.0.0", pre=f"read id < {RANDOM}; echo before $id", post=f"read id < {RANDOM}; echo after $id"
    )
    first = printed(bench, spec, Claim(1, 1))
    assert [name for name, _ in first] == ["web.pre.hook.hook.log", "web.post.hook.hook.log"]
    assert [text.split()[0] for _, text in first] == ["before", "after"]
    assert printed(bench, spec, Claim(1, 2)) == first
    assert bench.runs(spec)
    again = printed(bench, spec, Claim(2, 1))
    assert {text for _, text in first}.isdisjoint(text for _, text in again)


def a_hook_before_that_fails_leaves_what_runs_alone(bench: Bench) -> None:
    bench.apply(bench.of("1.0.0"), 1)
    before, safe = bench.see(), MemorySecrets()
    spec = hooked(bench, "2.0.0", safe, pre="echo no such table; echo $TOKEN; exit 3")
    with pytest.raises(Refused) as refusal:
        bench.apply(spec, 2, secrets=safe)
    assert refusal.value.code == Code.HOOK_FAILED
    assert refusal.value.fields["hook"] == "hook"
    assert "no such table" in refusal.value.detail
    assert OTHER not in f"{refusal.value.detail} {refusal.value.fields}"
    assert bench.see() == before


def a_hook_after_that_fails_brings_the_old_one_back(bench: Bench) -> None:
    bench.apply(bench.of("1.0.0"), 1)
    with pytest.raises(Refused) as refusal:
        bench.apply(hooked(bench, "2.0.0", post="exit 1"), 2)
    assert refusal.value.code == Code.HOOK_FAILED
    assert bench.runs(bench.of("1.0.0"))


def a_hook_that_cannot_be_started_fails_as_a_hook(bench: Bench) -> None:
    bench.apply(bench.of("1.0.0"), 1)
    before, nobody = bench.see(), [{"name": "hook", "command": ["nobody.exe", "it"]}]
    component = with_run(bench.component(bench.harness.image("2.0.0")), hooks={"pre": nobody})
    with pytest.raises(Refused) as refusal:
        bench.apply(bench.spec(component, release="2.0.0"), 2)
    assert refusal.value.code == Code.HOOK_FAILED
    assert (refusal.value.fields["hook"], refusal.value.fields["when"]) == ("hook", "pre")
    assert "nobody.exe" in refusal.value.detail
    assert bench.see() == before


def a_hook_that_takes_too_long_fails(bench: Bench) -> None:
    with pytest.raises(Refused) as refusal:
        bench.apply(hooked(bench, "1.0.0", pre="while :; do read id < " + RANDOM + "; done", timeout="1s"), 1)
    assert refusal.value.code == Code.HOOK_FAILED
    assert "within 1 s" in refusal.value.detail
    assert bench.see() == {}


def a_killed_workers_hook_is_awaited_not_run_again(bench: Bench) -> None:
    spec = hooked(bench, "1.0.0", pre=f"read id < {RANDOM}; echo $id")
    bench.die(spec, 1, at="after_hook_start")
    first = printed(bench, spec, Claim(1, 2))
    assert printed(bench, spec, Claim(1, 3)) == first
    assert [len(text.split()) for _, text in first] == [1]


def what_is_handed_over_has_no_hooks_that_have_ended(bench: Bench) -> None:
    """Where hooks leave something (`harness.hooks`). One that runs still runs on."""
    bench.apply(hooked(bench, "1.0.0", pre="true", post="true"), 1)
    ended = bench.harness.hooks(bench.address)
    assert len(ended) == 2
    endless = hooked(bench, "2.0.0", pre=f"while :; do read id < {RANDOM}; done")
    bench.die(endless, 2, at="after_hook_start")
    [running] = [hook for hook in bench.harness.hooks(bench.address) if hook not in ended]
    bench.harness.executor().hand_over(endless, Claim(3, 1), nobeat)
    assert bench.harness.hooks(bench.address) == [running]


def hooked(
    bench: Bench, version: str, safe: MemorySecrets | None = None, timeout: str = "1m", **words: str
) -> TargetSpec:
    """The usual specification with hooks, each a line of shell."""
    shell, first = getattr(bench.harness, "shell", ("/bin/sh",)), getattr(bench.harness, "lingering", "")
    hooks = {
        when: [{"name": "hook", "command": [*shell, "-c", first + line], "timeout": timeout}]
        for when, line in words.items()
    }
    component = bench.component(bench.harness.image(version))
    if safe:
        component = with_secrets(component, TOKEN=safe.put(REFERENCE, OTHER))
    return bench.spec(with_run(component, hooks=hooks), release=version)


def with_run(component: ComponentSpec, **blocks: Any) -> ComponentSpec:
    """The component with blocks about its target type."""
    component = with_config(component, run={**(component.config.run or {}), **blocks})
    return component.model_copy(update={"config_digest": digest_of(component.config)})


def printed(bench: Bench, spec: TargetSpec, claim: Claim) -> list[tuple[str, str]]:
    """What hooks have printed, as it is kept."""
    executor = bench.harness.executor()
    executor.prepare(spec, nobeat)
    sent: tuple[SentFile, ...] = executor.apply(spec, claim, nobeat)
    return [(file.name, file.content) for file in sent if file.name.endswith(".hook.log")]


HOOKING = (
    hooks_run_once_around_the_change,
    a_hook_before_that_fails_leaves_what_runs_alone,
    a_hook_after_that_fails_brings_the_old_one_back,
    a_hook_that_cannot_be_started_fails_as_a_hook,
    a_hook_that_takes_too_long_fails,
    a_killed_workers_hook_is_awaited_not_run_again,
)
