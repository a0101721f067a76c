"""The production topology is sound as far as Compose can tell without running it."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.components import lacking, must_be_complete
from workers import packages

ROOT = Path(__file__).parent.parent.parent
PASSWORDS = dict.fromkeys(("FAIRLEAD_APP_PASSWORD", "FAIRLEAD_OWNER_PASSWORD", "TEMPORAL_DATABASE_PASSWORD"), "secret")


def config(passwords):
    """What `docker compose config` says; Debian's own suite ships Compose as a program of its own."""
    reason = lacking(["docker-compose"], root=False)
    if reason:
        pytest.fail(reason) if must_be_complete() else pytest.skip(reason)
    command = [str(packages.program("docker-compose")), "-f", str(ROOT / "docker-compose.temporal.yml"), "config"]
    return subprocess.run(
        command, env={"PATH": os.environ["PATH"], **passwords}, capture_output=True, text=True, check=False
    )


def test_compose_accepts_the_topology():
    services = yaml.safe_load(config(PASSWORDS).stdout)["services"]
    assert {"api", "worker", "database", "temporal", "temporal-database", "temporal-ui"} <= set(services)


@pytest.mark.parametrize("missing", PASSWORDS)
def test_no_password_has_a_default(missing):
    said = config({name: value for name, value in PASSWORDS.items() if name != missing})
    assert said.returncode != 0
    assert missing in said.stderr


def test_nothing_is_published_beyond_loopback():
    services = yaml.safe_load((ROOT / "docker-compose.temporal.yml").read_text())["services"]
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_files_that_the_topology_mounts_and_copies_are_there():
    services = yaml.safe_load((ROOT / "docker-compose.temporal.yml").read_text())["services"]
    mounts = [volume.split(":")[0] for service in services.values() for volume in service.get("volumes", [])]
    copied = [
        word
        for line in (ROOT / "deploy/Dockerfile").read_text().splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for word in line.split()[1:-1]
    ]
    local = [path for path in [*mounts, *copied] if path.startswith("./") or path in copied]
    assert [path for path in local if not (ROOT / path).exists()] == []
