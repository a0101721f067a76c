"""Where secrets rest on a process host, who starts applications with them, and when they are removed."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from agents.process_host.confidences import Confidences
from agents.process_host.folder import TargetFolder
from fairlead.domain.errors import Refused
from fairlead.domain.fence import Claim
from tests.agents.test_process_supervisor import sleeper
from tests.fakes.secrets import MemorySecrets
from tests.fixtures.process import applications_of, supervisor_of
from tests.targets.bench import Bench, eventually
from tests.targets.keeping import OTHER, REFERENCE, VALUE, apply, secretive

pytestmark = pytest.mark.process


def folder_of(bench: Bench) -> TargetFolder:
    return bench.harness.folder(bench.address)


def at_rest(bench: Bench) -> list[Path]:
    return sorted((folder_of(bench).component("web") / "secrets").glob("*"))


def test_an_application_that_ended_is_started_again_with_its_secret(process_bench: Bench) -> None:
    safe = MemorySecrets()
    apply(process_bench, secretive(process_bench, safe.put(REFERENCE, VALUE)), 1, safe)
    [first] = applications_of(folder_of(process_bench))
    os.kill(first.pid, signal.SIGKILL)
    assert eventually(lambda: applications_of(folder_of(process_bench)) not in ([], [first]), 30)
    assert eventually(lambda: process_bench.harness.given(process_bench.address, "web", "TOKEN") == VALUE, 30)


def test_a_new_supervisor_starts_it_with_its_secret(process_bench: Bench) -> None:
    safe = MemorySecrets()
    apply(process_bench, secretive(process_bench, safe.put(REFERENCE, VALUE)), 1, safe)
    folder = folder_of(process_bench)
    [first], supervisor = applications_of(folder), supervisor_of(folder)
    assert supervisor is not None
    for process in (supervisor, first):
        os.kill(process.pid, signal.SIGKILL)
    assert eventually(lambda: not applications_of(folder) and supervisor_of(folder) is None, 30)
    process_bench.harness.executor().observe(process_bench.address)
    assert eventually(lambda: applications_of(folder) not in ([], [first]), 30)
    assert eventually(lambda: process_bench.harness.given(process_bench.address, "web", "TOKEN") == VALUE, 30)


def test_only_what_runs_keeps_its_secrets_at_rest(process_bench: Bench) -> None:
    safe = MemorySecrets()
    old = secretive(process_bench, safe.put(REFERENCE, VALUE))
    apply(process_bench, old, 1, safe)
    [first] = at_rest(process_bench)
    new = safe.put(REFERENCE, OTHER)
    with pytest.raises(Refused):
        apply(process_bench, secretive(process_bench, new, {"CRASH": "1"}), 2, safe)
    assert at_rest(process_bench) == [first]
    apply(process_bench, secretive(process_bench, new), 3, safe)
    [second] = at_rest(process_bench)
    assert second != first
    apply(process_bench, process_bench.of("1.0.0"), 4, safe)
    assert at_rest(process_bench) == []


def test_a_link_in_their_place_is_not_followed(tmp_path: Path) -> None:
    confidences, spec = Confidences(TargetFolder(tmp_path)), replace(sleeper(Claim(1, 1)), secrets="c.json")
    confidences.keep(spec, {"TOKEN": "x"})
    assert confidences.of(spec) == {"TOKEN": "x"}
    [kept] = tmp_path.rglob("*.json")
    kept.rename(tmp_path / "elsewhere")
    kept.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        confidences.of(spec)
