"""What people may type and what may lie in the files they name: words and an exit code, never a traceback, nothing read without end."""

import json
import os
from pathlib import Path

import pytest

from fairlead.cli import exits
from tests.cli.terminal import Terminal

ROOT_KEY = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2V4AyEA0000000000000000000000000000000000000000000=
-----END PUBLIC KEY-----
"""
DIGEST = "sha256:" + "0" * 64

TYPED = {
    "a key's id that is a path": (["keys", "revoke", "../promotions"], "bad_name"),
    "a key's id that is nothing": (["keys", "revoke", ".."], "bad_name"),
    "a release that is a path": (["release", "show", "../keys"], "bad_name"),
    "an environment that is a path": (["freeze", "../x", "--reason", "x"], "bad_name"),
    "a freeze's id that is a path": (["thaw", "prod", "--id", "../x"], "bad_name"),
    "a promotion that is a path": (["cancel", "a/b"], "bad_name"),
    "an image of no name": (["release", "create", "1", "=@x"], "bad_reference"),
    "a source without a value": (["release", "create", "1", "web=:1", "--source", "x"], "bad_value"),
    "a time to wait that is none": (["promote", "1", "dev", "--wait", "--timeout", "1e400s"], "bad_duration"),
    "a catalogue without end": (["apply", "/dev/zero"], "document_too_large"),
    "a report without end": (["report", "import", DIGEST, "/dev/zero"], "document_too_large"),
    "a folder for a catalogue": (["apply", "/"], "not_found"),
}


@pytest.fixture
def anybody(tmp_path: Path) -> Terminal:
    """Somebody whose server is not there: what is asked here never gets so far."""
    return Terminal(tmp_path / "home", FAIRLEAD_URL="http://127.0.0.1:1", FAIRLEAD_KEY="k", FAIRLEAD_PROJECT="shop")


@pytest.mark.parametrize(("words", "code"), TYPED.values(), ids=TYPED)
def test_what_cannot_be_meant_is_refused_before_anybody_is_asked(
    anybody: Terminal, words: list[str], code: str
) -> None:
    said = anybody.run(*words)
    assert (said.code, f"({code})" in said.err) == (exits.MISSING if code == "not_found" else exits.USAGE, True), said


CONFIGURATIONS = [b"{", b"[]", b"\xff", b"[" * 100_000, b'{"url": 1' + b"0" * 5000 + b"}", b"\0"]


@pytest.mark.parametrize("content", CONFIGURATIONS, ids=range(len(CONFIGURATIONS)))
def test_a_configuration_that_is_none_is_told(anybody: Terminal, content: bytes) -> None:
    anybody.home.mkdir()
    (anybody.home / "config.json").write_bytes(content)
    said = anybody.run("status", FAIRLEAD_URL="")
    assert (said.code, "document_malformed" in said.err) == (exits.USAGE, True), said


SIGNING_KEYS = [b"", b"\0" * 100, b"-----BEGIN PRIVATE KEY-----\n", ROOT_KEY.encode(), b"x" * 10_000_000]


@pytest.mark.parametrize("content", SIGNING_KEYS, ids=range(len(SIGNING_KEYS)))
def test_a_signing_key_that_is_none_is_told(anybody: Terminal, content: bytes) -> None:
    anybody.home.mkdir()
    path = anybody.home / "signing_key.pem"
    path.touch(0o600)
    path.write_bytes(content)
    said = anybody.run("approve", "abc")
    assert (said.code, "key_unreadable" in said.err) == (exits.USAGE, True), said


def trust(**key: object) -> str:
    return json.dumps(
        {"project": "shop", "keys": [{"keyid": "0" * 64, "public_key": ROOT_KEY, "roles": ["ledger"], **key}]}
    )


TRUST_FILES = [
    "", "[]", "{", "[" * 100_000, '{"project": "shop", "project": "x", "keys": []}', trust(), trust(public_key="\ud800"),
    trust(public_key="x\0"), trust(not_after="9999-12-31T23:59:59-14:00"), trust(not_after=1e400), trust(roles=["voter:"]),
]  # fmt: skip


@pytest.mark.parametrize("content", TRUST_FILES, ids=range(len(TRUST_FILES)))
def test_a_trust_file_or_bundle_that_is_none_is_told(anybody: Terminal, tmp_path: Path, content: str) -> None:
    for name, text in (("trust", content), ("bundle", "{}")):
        (tmp_path / name).write_text(text)
    said = anybody.run("evidence", "verify", str(tmp_path / "bundle"), "--trust", str(tmp_path / "trust"))
    assert (said.code, "error: " in said.err) == (exits.USAGE, True), said


def test_a_file_that_nobody_writes_to_is_not_waited_for_when_it_is_a_bundle(anybody: Terminal, tmp_path: Path) -> None:
    os.mkdir(tmp_path / "folder")
    said = anybody.run("evidence", "verify", str(tmp_path / "folder"), "--trust", str(tmp_path / "folder"))
    assert said.code == exits.USAGE
