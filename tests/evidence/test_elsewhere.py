"""On another machine: no server, no network, an empty environment, nothing but the verifier, the bundle and the trust file."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fairlead.evidence import bundle as bundles
from tests.evidence import elsewhere
from tests.evidence.real import Real
from tests.evidence.test_real_attacks import forked

PROGRAM = Path(elsewhere.__file__).resolve()


def alone() -> list[str]:
    """A network namespace of its own with nothing in it, where we may make one."""
    wrapper = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--net"]
    may = (
        shutil.which("unshare") and subprocess.run([*wrapper, "true"], capture_output=True, check=False).returncode == 0
    )
    return wrapper if may else []


def run(folder: Path, *command: str, code: str | None = None) -> subprocess.CompletedProcess[str]:
    """Another's command line: in the folder, with no environment at all, and Python's own kept out too."""
    program = [str(PROGRAM), *command] if code is None else ["-c", code, *command]
    compiled = ["-X", f"pycache_prefix={sys.pycache_prefix}"] if sys.pycache_prefix else []
    return subprocess.run(
        [*alone(), sys.executable, "-I", "-B", *compiled, *program],
        cwd=folder,
        check=False,
        env={},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def handed_over(real: Real, tmp_path: Path) -> Path:
    """A folder with what was handed over, and nothing else."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    continued = real.bundle | {"consistency": real.growth}
    documents: dict[str, Any] = {"bundle": continued, "fork": forked(real), "trust": real.trust}
    for name, document in documents.items():
        (folder / f"{name}.json").write_bytes(bundles.write(document))
    (folder / "seen").write_text(real.since)
    (folder / "seen_last").write_text(real.bundle["checkpoint"])
    return folder


def test_a_bundle_verifies_elsewhere(handed_over: Path) -> None:
    said = run(handed_over, "evidence", "verify", "bundle.json", "--trust", "trust.json", "--since", "seen", "--json")
    assert said.returncode == 0, said.stderr
    report = json.loads(said.stdout)
    assert (report["verified"], report["failed"], report["state"]) == (True, [], "rolled_back")
    assert {rule["status"] for rule in report["rules"]} == {"ok"}


def test_a_fork_is_refused_elsewhere_by_whoever_kept_a_checkpoint(handed_over: Path) -> None:
    said = run(handed_over, "evidence", "verify", "fork.json", "--trust", "trust.json", "--since", "seen_last")
    assert (said.returncode, said.stdout.splitlines()[-1]) == (1, "NOT VERIFIED: consistency"), said.stderr


def test_a_changed_bundle_is_refused_elsewhere_and_names_its_rule(handed_over: Path) -> None:
    document = json.loads((handed_over / "bundle.json").read_bytes())
    document["envelopes"][0]["index"] += 1
    (handed_over / "bundle.json").write_bytes(bundles.write(document))
    said = run(handed_over, "evidence", "verify", "bundle.json", "--trust", "trust.json")
    assert (said.returncode, said.stdout.splitlines()[-1]) == (1, "NOT VERIFIED: inclusion"), said.stderr


REACHES_OUT = {
    "a client": "import httpx",
    "the engine": "import temporalio.client",
    "the store": "import fairlead.store.ledger",
    "a connection": "import socket; socket.socket().connect(('127.0.0.1', 9))",
    "a name": "import socket; socket.getaddrinfo('localhost', 80)",
    "a program": "import subprocess; subprocess.Popen(['true'])",
    "a file": "open('left-behind', 'w')",
}


@pytest.mark.parametrize("code", REACHES_OUT.values(), ids=REACHES_OUT)
def test_what_reaches_out_would_be_seen(tmp_path: Path, code: str) -> None:
    hooked = f"import sys; sys.path.append({str(PROGRAM.parent)!r}); import elsewhere as e; sys.meta_path.insert(0, e.Hook());"
    said = run(tmp_path, code=f"{hooked} import socket, subprocess; sys.addaudithook(e.audit); {code}")
    assert said.returncode == elsewhere.UNWANTED, said.stderr
    assert "unwanted" in said.stderr


@pytest.mark.skipif(not alone(), reason="no network namespace may be made here")
def test_there_is_no_network_there(tmp_path: Path) -> None:
    said = run(tmp_path, code="import socket; print([name for _, name in socket.if_nameindex()])")
    assert said.stdout.strip() in {"['lo']", "[]"}
