"""Behaviours of every executor: secrets reach the application, and nobody else."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from fairlead.contracts.release import SecretUse
from fairlead.contracts.target import TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotAllowed, Refused, Unavailable
from fairlead.domain.fence import Claim
from fairlead.domain.masking import MASK
from tests.fakes.secrets import MemorySecrets
from tests.targets.bench import Bench, nobeat, with_secrets
from tests.targets.harness import Tally

REFERENCE = "vault://kv/suite#token"
VALUE = "pa ss'w\"örd $HOME `id` %20 §§"
OTHER = "the-next-one-4711"
PART = "s3cr3t-"
LONG = "".join(f"{PART}{number:05d}." for number in range(1500))
"""Longer than what is told of a failed start: a cut goes through it."""


def the_application_is_given_its_secret(bench: Bench) -> None:
    safe = MemorySecrets()
    spec = secretive(bench, safe.put(REFERENCE, VALUE))
    apply(bench, spec, 1, safe)
    assert bench.runs(spec)
    assert bench.harness.given(bench.address, "web", "TOKEN") == VALUE


def another_version_of_a_secret_replaces_what_runs(bench: Bench) -> None:
    safe = MemorySecrets()
    apply(bench, secretive(bench, safe.put(REFERENCE, VALUE)), 1, safe)
    changed = secretive(bench, safe.put(REFERENCE, OTHER))
    apply(bench, changed, 2, safe)
    assert bench.runs(changed)
    assert bench.harness.given(bench.address, "web", "TOKEN") == OTHER


def a_secret_is_in_nothing_that_is_kept_or_shown(bench: Bench) -> None:
    safe = MemorySecrets()
    spec = secretive(bench, safe.put(REFERENCE, VALUE))
    executor = bench.harness.executor(None, safe)
    executor.prepare(spec, nobeat)
    sent = executor.apply(spec, Claim(1, 1), nobeat)
    executor.write_sticker(bench.address, bench.sticker(spec, "1.1"), Claim(1, 1))
    assert any(REFERENCE in file.content for file in sent)
    shown = [bench.harness.traces(bench.address), str(sent), str(executor.read_sticker(bench.address))]
    shown += [executor.observe(bench.address).model_dump_json(), command_lines()]
    for piece in ("pa ss'w", "örd $HOME", "%20 §§"):  # however the rest may be written there
        assert piece not in "\n".join(shown)


def a_failed_start_tells_no_secret(bench: Bench) -> None:
    safe = MemorySecrets()
    spec = secretive(bench, safe.put(REFERENCE, LONG), {"CRASH": "1", "TELL": "TOKEN"})
    with pytest.raises(Refused) as refusal:
        apply(bench, spec, 1, safe)
    said = f"{refusal.value.detail} {refusal.value.fields} {refusal.value!r}"
    assert refusal.value.code == Code.START_FAILED
    assert f"{MASK}" in refusal.value.detail
    assert PART not in said


def a_secret_that_cannot_be_had_is_refused_before_any_change(bench: Bench) -> None:
    old, safe = bench.of("1.0.0"), MemorySecrets()
    bench.apply(old, 1)
    spec = secretive(bench, SecretUse(reference=REFERENCE, version="7"), version="2.0.0")
    for error in (None, NotAllowed(Code.SECRET_DENIED, "no"), Unavailable(Code.SECRETS_UNAVAILABLE, "away")):
        safe.fails = error
        with pytest.raises(type(error) if error else Refused) as refusal:
            bench.harness.executor(None, safe).prepare(spec, nobeat)
        assert refusal.value.code == (error.code if error else Code.SECRET_NOT_FOUND)
        with pytest.raises(Unavailable if isinstance(error, Unavailable) else Refused):
            bench.harness.executor(None, safe).apply(spec, Claim(2, 1), nobeat)
    assert bench.runs(old)
    assert bench.tally() == Tally(1, 1)


def a_rollback_adopts_what_runs_though_its_secret_is_gone(bench: Bench) -> None:
    safe = MemorySecrets()
    use = safe.put(REFERENCE, VALUE)
    apply(bench, secretive(bench, use), 1, safe)
    back = secretive(bench, use, rollback=True)
    apply(bench, back, 2, MemorySecrets())
    assert bench.runs(back)
    assert bench.tally() == Tally(1, 1)


def a_killed_attempt_is_taken_over_with_its_secret(bench: Bench) -> None:
    safe = MemorySecrets()
    spec = secretive(bench, safe.put(REFERENCE, VALUE))
    bench.die(spec, 1, at="after_create", secrets=safe)
    apply(bench, spec, 1, safe, attempt=2)
    assert bench.harness.given(bench.address, "web", "TOKEN") == VALUE
    assert bench.tally() == Tally(1, 1)


def what_is_put_back_still_has_its_secret(bench: Bench) -> None:
    safe = MemorySecrets()
    old = secretive(bench, safe.put(REFERENCE, VALUE))
    apply(bench, old, 1, safe)
    with pytest.raises(Refused):
        apply(bench, secretive(bench, safe.put(REFERENCE, OTHER), {"CRASH": "1"}), 2, safe)
    assert bench.runs(old)
    assert bench.harness.given(bench.address, "web", "TOKEN") == VALUE


def secretive(
    bench: Bench, use: SecretUse, env: Mapping[str, str] | None = None, version: str = "1.0.0", rollback: bool = False
) -> TargetSpec:
    """The usual specification, with one secret."""
    component = with_secrets(bench.component(bench.harness.image(version), env), TOKEN=use)
    return bench.spec(component, release=version, rollback=rollback)


def apply(bench: Bench, spec: TargetSpec, number: int, safe: MemorySecrets, attempt: int = 1) -> None:
    bench.apply(spec, number, attempt, secrets=safe)


def command_lines() -> str:
    """The argument vectors of all processes."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(entry.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:  # ended meanwhile
            continue
    return "\n".join(found)


KEEPING = (
    the_application_is_given_its_secret,
    another_version_of_a_secret_replaces_what_runs,
    a_secret_is_in_nothing_that_is_kept_or_shown,
    a_failed_start_tells_no_secret,
    a_secret_that_cannot_be_had_is_refused_before_any_change,
    a_rollback_adopts_what_runs_though_its_secret_is_gone,
    a_killed_attempt_is_taken_over_with_its_secret,
    what_is_put_back_still_has_its_secret,
)
