"""Exit codes and words: what went wrong is told by both, and never by a traceback."""

from pathlib import Path

import pytest

from fairlead.cli import exits
from tests.cli.terminal import Terminal

ENDS = {
    "unknown release": (["release", "show", "9"], exits.MISSING, "release_not_found"),
    "unknown environment": (["status", "prd"], exits.MISSING, "did you mean prod"),
    "unknown promotion": (["approve", "zzzz"], exits.MISSING, "promotion_not_found"),
    "nothing of that name": (["why", "prd"], exits.MISSING, "environment_not_found"),
    "a name with slashes": (["status", "prod/why"], exits.USAGE, "bad_name"),
    "no name at all": (["why", ""], exits.USAGE, "bad_name"),
    "a name with a query": (["release", "show", "1?x=y"], exits.MISSING, "release_not_found"),
    "what an admin may": (["keys", "new", "--api", "ben"], exits.FORBIDDEN, "not_allowed"),
    "no image": (["release", "create", "1", "web=1.0"], exits.USAGE, "bad_reference"),
    "no name of an image": (["release", "create", "1", "=:1.0"], exits.USAGE, "bad_reference"),
    "unknown component": (["release", "create", "1", "wob=:1.0"], exits.USAGE, "component_not_found"),
    "source without a value": (["release", "create", "1", "web=:1", "--source", "commit"], exits.USAGE, "bad_value"),
    "no duration": (["freeze", "prod", "--reason", "x", "--for", "soon"], exits.USAGE, "/for"),
    "no duration to wait": (["promote", "1", "prod", "--wait", "--timeout", "soon"], exits.USAGE, "bad_duration"),
    "no reason": (["freeze", "prod"], exits.USAGE, "--reason"),
    "no such file": (["apply", "/nowhere/fairlead.yaml"], exits.MISSING, "/nowhere/fairlead.yaml"),
    "no such report": (["report", "import", "sha256:0", "/nowhere/trivy.json"], exits.MISSING, "/nowhere/trivy.json"),
    "nowhere to write": (["evidence", "trust", "--output", "/nowhere/trust.json"], exits.USAGE, "/nowhere/trust.json"),
    "no such command": (["deploy"], exits.USAGE, "deploy"),
    "nothing before": (["rollback", "prod"], exits.USAGE, "nothing_to_roll_back_to"),
    "unknown setting": (["config", "set", "uri", "x"], exits.USAGE, "did you mean url"),
}


@pytest.mark.parametrize(("words", "code", "told"), ENDS.values(), ids=ENDS)
def test_what_goes_wrong_is_told(ana: Terminal, words: list[str], code: int, told: str):
    said = ana.run(*words)
    assert said.code == code, said
    assert told in said.err
    assert said.out == ""


def test_with_json_a_problem_is_json(ana: Terminal):
    said = ana.run("release", "show", "9", "--json")
    assert (said.code, said.json["code"], said.json["status"]) == (exits.MISSING, "release_not_found", 404)


@pytest.mark.parametrize("words", [["status"], ["whatever", "--json"], ["promote", "1", "dev"]])
def test_a_server_that_is_not_there(ana: Terminal, words: list[str]):
    said = ana.run(*words, FAIRLEAD_URL="http://127.0.0.1:1")
    assert said.code == (exits.USAGE if words[0] == "whatever" else exits.UNREACHABLE)


@pytest.mark.parametrize("url", ["not a url", "ftp://127.0.0.1", "http://[", "127.0.0.1:8420"])
def test_a_url_that_is_none(ana: Terminal, url: str):
    said = ana.run("status", FAIRLEAD_URL=url)
    assert (said.code, "bad_value" in said.err) == (exits.USAGE, True)


def test_without_a_key_one_is_told_where_to_put_it(ana: Terminal):
    said = ana.run("status", FAIRLEAD_KEY="")
    assert (said.code, "unauthenticated" in said.err) == (exits.FORBIDDEN, True)


def test_a_key_that_no_header_can_carry(ana: Terminal):
    said = ana.run("status", FAIRLEAD_KEY="sch\u00fcssel")
    assert (said.code, "bad_value" in said.err) == (exits.USAGE, True)


def test_without_a_project(ana: Terminal):
    said = ana.run("status", FAIRLEAD_PROJECT="")
    assert (said.code, "FAIRLEAD_PROJECT" in said.err) == (exits.USAGE, True)


def test_a_broken_configuration(ana: Terminal):
    (ana.home / "config.json").write_text("{")
    said = ana.run("status")
    assert (said.code, "config.json" in said.err) == (exits.USAGE, True)


def test_a_signing_key_that_others_may_read_is_not_used(ana: Terminal):
    (ana.home / "signing_key.pem").chmod(0o644)
    said = ana.run("approve", "zzzz")
    assert (said.code, "key_unreadable" in said.err, "chmod 600" in said.err) == (exits.USAGE, True, True)


def test_without_a_signing_key_one_is_told_how_to_make_it(ana: Terminal):
    (ana.home / "signing_key.pem").unlink()
    said = ana.run("approve", "zzzz")
    assert (said.code, "fairlead keys new" in said.err) == (exits.USAGE, True)


def test_configuration_is_kept_for_its_owner_only(ana: Terminal, tmp_path: Path):
    fresh = Terminal(tmp_path / "fresh")
    for name in ("URL", "KEY", "PROJECT"):
        assert fresh.run("config", "set", name.lower(), ana.environment[f"FAIRLEAD_{name}"]).code == 0
    assert (fresh.home / "config.json").stat().st_mode & 0o777 == 0o600
    assert fresh.run("status").code == 0
    shown = fresh.json("config", "show")
    assert shown["project"] == "shop"
    assert shown["key"] != ana.environment["FAIRLEAD_KEY"]
