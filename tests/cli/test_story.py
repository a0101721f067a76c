"""What people do with the command line, from a catalogue to evidence."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from fairlead.cli import exits
from fairlead.contracts import names
from tests.activities.shop import at
from tests.api.office import Office, catalogue_text
from tests.cli.terminal import Terminal


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    """The shop's catalogue without the people's keys."""
    path = tmp_path / "fairlead.yaml"
    path.write_text(catalogue_text())
    return path


def test_diff_shows_what_apply_does(admin: Terminal, catalogue: Path):
    planned = admin.json("diff", str(catalogue))
    assert {(change["action"], change["name"]) for change in planned["changes"]} == {
        ("change", n) for n in ("ana", "ben", "cho")
    }
    said = admin.run("apply", str(catalogue), "--yes")
    assert (said.code, "~ person ana" in said.out, "revision 2" in said.err) == (0, True, True)
    assert admin.json("diff", str(catalogue))["changes"] == []
    assert "no changes" in admin.run("apply", str(catalogue)).out


def test_apply_asks_first_and_without_anybody_to_ask_does_nothing(admin: Terminal, catalogue: Path):
    said = admin.run("apply", str(catalogue), stdin="")
    assert (said.code, "--yes" in said.err) == (exits.USAGE, True)
    assert len(admin.json("diff", str(catalogue))["changes"]) == 3


def test_a_broken_catalogue_is_told_by_line(admin: Terminal, catalogue: Path):
    catalogue.write_text(catalogue.read_text().replace("- dev\n", "- dve\n", 3))
    said = admin.run("diff", str(catalogue))
    assert said.code == exits.USAGE
    assert said.err.startswith(f"{catalogue}:")  # as it is called here
    assert "line " in said.err
    assert "column " in said.err


def test_a_new_project_needs_no_configured_one(office: Office, admin: Terminal, catalogue: Path):
    catalogue.write_text(catalogue_text(project="other"))
    key = office.key("integration:all", "admin", None)
    said = admin.run("apply", str(catalogue), "--yes", FAIRLEAD_PROJECT="", FAIRLEAD_KEY=key)
    assert (said.code, "other is at revision 1" in said.err) == (0, True)


def test_two_images_of_one_component_are_a_mistake(ana: Terminal):
    said = ana.run("release", "create", "1.0.0", "web=:1.0.0", "web=:1.1.0")
    assert (said.code, "duplicate_key" in said.err) == (exits.USAGE, True)


def test_a_release_is_made_shown_listed_and_deprecated(ana: Terminal):
    assert ana.run("release", "create", "1.0.0", "web=:1.0.0", "--source", "commit=abc").code == 0
    shown = ana.json("release", "show", "1.0.0")
    assert shown["manifest"]["source"] == {"commit": "abc"}
    assert shown["manifest"]["components"]["web"]["digest"].startswith("sha256:")
    assert ana.json("report", "fetch", "1.0.0") == {"imported": [], "passed_over": []}
    again = ana.json(
        "release",
        "create",
        "1.0.0",
        f"web=@{shown['manifest']['components']['web']['digest']}",
        "--source",
        "commit=abc",
    )
    assert again == shown
    assert "1.0.0" in ana.run("release", "list").out
    ana.run("release", "deprecate", "1.0.0")
    assert ana.json("release", "list")["items"][0]["state"] == "deprecated"
    assert ana.json("release", "deprecate", "1.0.0", "--undo")["state"] == "active"


def test_a_report_is_imported(ana: Terminal, tmp_path: Path):
    digest = "sha256:" + "1" * 64
    report = tmp_path / "trivy.json"
    report.write_text(
        json.dumps(
            {"SchemaVersion": 2, "ArtifactName": "web", "Metadata": {"RepoDigests": [f"web@{digest}"]}, "Results": []}
        )
    )
    assert ana.json("report", "import", digest, str(report))["kind"] == "trivy"
    said = ana.run("report", "import", "sha256:" + "2" * 64, str(report))
    assert (said.code, "digest_mismatch" in said.err) == (exits.USAGE, True)


def test_a_promotion_is_asked_for_listed_and_named_by_a_prefix(office: Office, ana: Terminal):
    office.shop.release("1.0.0")
    made = ana.json("promote", "1.0.0", "prod", "--reason", "because")
    assert (made["state"], made["reason"]) == ("requested", "because")
    assert made["id"][:6] in ana.run("promotions", "--env", "prod").out
    assert ana.json("why", made["id"][:6])["promotion"] == made["id"]


def test_a_plan_changes_nothing(office: Office, ana: Terminal):
    office.shop.release("1.0.0")
    said = ana.run("plan", "1.0.0", "prod")
    assert "prod-2" in said.out
    assert ana.json("plan", "1.0.0", "prod")["targets"][0]["components"][0]["action"] == "create"
    assert ana.json("promotions")["items"] == []


def test_targets_say_beside_a_plan_what_would_change_there(office: Office, ana: Terminal):
    digest = office.shop.release("1.0.0") and ana.json("plan", "1.0.0", "prod")["digest"]
    assert "prod-1 says" not in ana.run("plan", "1.0.0", "prod").out
    said = ana.run("plan", "1.0.0", "prod", "--from-targets").out
    assert f"prod-1 says\n  {digest} would be carried out\n  hooks before it: web: drain, api: stop\nprod-2" in said
    office.orchestrator.available = False
    silent = ana.run("plan", "1.0.0", "prod", "--from-targets")
    assert (silent.code, "(temporal_unavailable)" in silent.out, "prod-2" in silent.out) == (0, True, True)


def test_a_vote_is_signed_at_home_and_counts(office: Office, terminal: Callable[..., Terminal]):
    office.time = at(0)
    promotion, _ = office.open_votes()
    ben = terminal("ben")
    office.time = _now()
    assert ben.json("approve", promotion.id[:6], "--comment", "looks right")["accepted"] is True
    [vote] = ben.run("promotions", "--json").json["items"]
    assert vote["sequence"] == 4


def test_a_printed_vote_is_what_would_have_been_sent(office: Office, terminal: Callable[..., Terminal]):
    promotion, _ = office.open_votes()
    cho = terminal("cho")
    office.time = _now()
    said = cho.run("approve", promotion.id, "--print")
    assert (said.code, set(said.json)) == (0, {"payload", "payloadType", "signatures"})
    assert office.shop.events(names.promotion_subject(promotion.id))[-1].type == "votes_opened"


def test_the_requesters_own_vote_is_not_allowed(office: Office, ana: Terminal):
    promotion, _ = office.open_votes(requester="ana")
    office.time = _now()
    said = ana.run("approve", promotion.id, "--json")
    assert (said.code, said.json["code"]) == (exits.FORBIDDEN, "vote_by_requester")
    answer = ana.json("why", promotion.id)
    assert [(vote["code"], vote["actor"]) for vote in answer["refused_votes"]] == [("vote_by_requester", "ana")]
    assert "vote_by_requester" in ana.run("why", promotion.id).out


def test_before_there_is_a_plan_nothing_is_signed(office: Office, terminal: Callable[..., Terminal]):
    promotion = office.promotion()
    said = terminal("ben").run("approve", promotion.id)
    assert (said.code, "votes_not_open" in said.err) == (exits.USAGE, True)


def test_a_plan_that_is_not_what_its_digest_says_is_not_signed(
    office: Office, terminal: Callable[..., Terminal], monkeypatch
):
    promotion, _ = office.open_votes()
    monkeypatch.setattr("fairlead.contracts.canonical.digest_of", lambda _: "sha256:" + "0" * 64)
    said = terminal("ben").run("approve", promotion.id)
    assert (said.code, "vote_wrong_plan" in said.err) == (exits.USAGE, True)


def test_a_promotion_is_cancelled_by_name_or_by_signature(office: Office, ana: Terminal):
    promotion, _ = office.open_votes()
    assert set(ana.run("cancel", promotion.id, "--print").json) == {"payload", "payloadType", "signatures"}
    said = ana.run("cancel", promotion.id, "--reason", "wrong one")
    assert (said.code, "cancelled by ana" in said.err) == (0, True)


def test_why_of_an_environment_says_what_its_promotions_wait_for(office: Office, ana: Terminal):
    promotion, _ = office.open_votes()
    office.shop.append(names.promotion_subject(promotion.id), "queued", state="queued")
    ana.run("hold", "prod", "--reason", "incident 42")
    said = ana.run("why", "prod").out
    assert f"promotion {promotion.id[:4]}" in said
    assert said.count("incident 42") == 2


@pytest.mark.parametrize(
    ("begin", "end", "kinds", "code"), [("freeze", "thaw", "freezes", "frozen"), ("hold", "resume", "holds", "held")]
)
def test_an_environment_is_frozen_and_held_and_let_go(ana: Terminal, begin: str, end: str, kinds: str, code: str):
    ana.run(begin, "prod", "--reason", "incident 42", "--for", "1h")
    [restraint] = ana.json("status", "prod")[kinds]
    assert restraint["reason"] == "incident 42"
    [blocker] = ana.json("why", "prod")["blocked_by"]
    assert (blocker["code"], bool(blocker["since"]), bool(blocker["until"])) == (code, True, True)
    assert "incident 42" in ana.run("why", "prod").out
    assert "incident 42" in ana.run("status", "prod").out
    assert ana.run(end, "prod", "--id", restraint["id"][:4]).code == 0
    assert ana.json("status", "prod")[kinds] == []
    assert "no open" in ana.run(end, "prod").err


def test_status_shows_every_environment(ana: Terminal):
    said = ana.run("status")
    first_words = [line.split()[0] for line in said.out.splitlines() if line.split()]
    assert first_words[-3:] == ["dev", "staging", "prod"]


def test_observe_says_what_was_never_seen(ana: Terminal):
    said = ana.run("observe", "prod")
    assert (said.code, said.out.count("never")) == (0, 2)


def test_evidence_and_trust_go_into_files(office: Office, ana: Terminal, tmp_path: Path):
    promotion = office.promotion()
    bundle, trust = tmp_path / "bundle.json", tmp_path / "trust.json"
    assert ana.run("evidence", "export", promotion.id[:6], "--output", str(bundle)).code == 0
    assert ana.run("evidence", "trust", "--output", str(trust)).code == 0
    assert json.loads(bundle.read_text())["promotion"] == promotion.id
    assert json.loads(trust.read_text())["project"] == "shop"
    said = ana.run("evidence", "verify", str(bundle), "--trust", str(trust), FAIRLEAD_URL="http://127.0.0.1:1")
    assert (said.code, "incomplete" in said.out) == (exits.FAILED, True)


def test_a_newer_bundle_proves_that_the_ledger_continues_an_older_one(office: Office, ana: Terminal, tmp_path: Path):
    older, newer, trust = (str(tmp_path / name) for name in ("older.json", "newer.json", "trust.json"))
    assert ana.run("evidence", "export", office.promotion().id, "--output", older).code == 0
    later = office.promotion("1.1.0").id
    ana.run("evidence", "trust", "--output", trust)
    found = {}
    for asked in ([], ["--since", older]):
        assert ana.run("evidence", "export", later, "--output", newer, *asked).code == 0
        report = json.loads(ana.run("evidence", "verify", newer, "--trust", trust, "--since", older, "--json").out)
        found[bool(asked)] = {rule["rule"]: rule["status"] for rule in report["rules"]}["consistency"]
    assert found == {False: "failed", True: "ok"}
    assert ana.run("evidence", "export", later, "--since", trust).code == exits.USAGE


def test_keys_are_made_once_at_home(tmp_path: Path):
    fresh = Terminal(tmp_path / "new")
    made = fresh.run("keys", "new")
    assert made.out.startswith("-----BEGIN PUBLIC KEY-----")
    assert "keyid " in made.out
    path = fresh.home / "signing_key.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    again = fresh.run("keys", "new")
    assert (again.code, "key_exists" in again.err, path.read_bytes() == before) == (exits.USAGE, True, True)


def test_a_bearer_key_is_made_by_an_admin(office: Office, admin: Terminal, ana: Terminal):
    made = admin.json("keys", "new", "--api", "ben")
    assert (made["subject"], made["scope"]) == ("ben", "member")
    assert ana.run("status", FAIRLEAD_KEY=made["key"]).code == 0
    assert made["key"] not in admin.run("keys", "list", "--json").out
    assert "ben" in admin.run("keys", "list").out
    assert admin.run("keys", "revoke", made["id"]).code == 0
    assert ana.run("status", FAIRLEAD_KEY=made["key"]).code == exits.FORBIDDEN


def _now():
    """Votes carry the true time, so the office's clock must show it too."""
    from fairlead.cli import clock

    return clock.now()
