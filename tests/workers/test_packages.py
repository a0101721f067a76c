"""What is taken for missing, and when nothing is installed."""

import os
from pathlib import Path

import pytest

from workers import packages


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder that programs are looked for in."""
    monkeypatch.setattr(packages, "PATH", str(tmp_path))
    return tmp_path


def put(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    (folder / name).chmod(0o755)


def test_a_package_is_missing_when_its_program_is(programs: Path):
    put(programs, "dockerd", b"#!/bin/sh")
    assert packages.missing(["docker.io", "docker-registry"]) == ["docker-registry"]


@pytest.mark.parametrize(
    ("content", "missing"), [(b"\x7fELF static", []), (b"\x7fELF /lib64/ld-linux", ["busybox-static"])]
)
def test_only_a_static_busybox_counts(programs: Path, content: bytes, missing: list[str]):
    put(programs, "busybox", content)
    assert packages.missing(["busybox-static"]) == missing


def test_nothing_is_said_or_installed_when_all_is_there(programs: Path):
    put(programs, "dockerd", b"#!/bin/sh")
    said: list[str] = []
    assert packages.ensure(["docker.io"], said.append) == []
    assert said == []


def test_who_is_not_root_is_told_what_is_missing(programs: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    said: list[str] = []
    assert packages.ensure(["docker.io"], said.append) == ["docker.io"]
    assert said == []
    assert packages.how_to_get(["docker.io"]) == "apt-get install --no-install-recommends docker.io"


def test_root_on_debian_says_so_first_and_refreshes_lists_only_when_needed(
    programs: Path, monkeypatch: pytest.MonkeyPatch
):
    put(programs, "apt-get", f'#!/bin/sh\necho "$5" >> {programs}/calls\n[ "$5" = update ]\n'.encode())
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setattr(packages, "can_install", lambda: True)
    monkeypatch.setattr(packages, "_POLICY", programs / "policy-rc.d")
    said: list[str] = []
    assert packages.ensure(["docker.io"], said.append) == ["docker.io"]
    assert said == ["installing from this machine's own Debian suite: docker.io"]
    assert (programs / "calls").read_text().split() == ["install", "update", "install"]
    assert not (programs / "policy-rc.d").exists()
