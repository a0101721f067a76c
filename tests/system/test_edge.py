"""What is refused at the edge, through HTTP, and leaves nothing half-done."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
import yaml

from tests.system.conftest import making_shops
from tests.system.shop import Shop
from tests.system.whole import WholeSystem, until

pytestmark = pytest.mark.process

ZEROS = f"sha256:{'0' * 64}"
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def edge(system: WholeSystem) -> Iterator[Shop]:
    """dev has verified 1.0.0 and then 1.2.0, 1.1.0 is deprecated, 1.3.0 is new."""
    with making_shops(system) as make:
        shop = make("api", "web")
        shop.document["components"]["web"]["depends_on"] = ["api"]
        shop.environment("dev")
        shop.environment("prod", after=["dev"])
        shop.apply()
        for version in ("1.0.0", "1.1.0", "1.2.0", "1.3.0"):
            shop.release(version)
        shop.succeed("1.0.0", "dev")
        shop.succeed("1.2.0", "dev")
        shop.ana.ask("PATCH", f"{shop.path}/releases/1.1.0", {"state": "deprecated"})
        # The lane gives the place back a moment after the promotion has ended; what follows compares all there is.
        until(lambda: shop.ana.get(f"{shop.path}/environments/dev")["holder"] is None, "dev's lane to be free")
        yield shop


def all_there_is(shop: Shop) -> Any:
    """Everything that a request could have left behind."""
    project, places = shop.ana.get(shop.path), shop.ana.get(f"{shop.path}/environments")["items"]
    lists = [shop.admin.get(f"{shop.path}/{what}")["items"] for what in ("releases", "promotions", "keys")]
    return project["revision"], project["digest"], places, lists


Spoil = Callable[[dict[str, Any]], object]


def _edit(spoil: Spoil) -> Callable[[Shop], bytes]:
    def edited(shop: Shop) -> bytes:
        document = deepcopy(shop.document)
        spoil(document)
        return yaml.safe_dump(document).encode()

    return edited


CATALOGUES: dict[str, tuple[bytes | Callable[[Shop], bytes], int, str]] = {
    "no YAML": (b"project: [", 422, "document_malformed"),
    "no JSON": (b'{"project": "shop",, }', 422, "document_malformed"),
    "empty": (b"", 422, "document_malformed"),
    "no UTF-8": (b"project: \xff", 422, "document_malformed"),
    "an alias": (b"project: &p shop\npeople: *p", 422, "document_malformed"),
    "two documents": (b"project: a\n---\nproject: b", 422, "document_malformed"),
    "a key twice": (b"project: a\nproject: b", 422, "duplicate_key"),
    "too large": (b"#" * (MIB + 1), 422, "document_too_large"),
    "YAML too deep": (b"people: " + b"[" * 5000 + b"]" * 5000, 422, "document_too_deep"),
    "JSON too deep": (b'{"a":' * 5000 + b"1" + b"}" * 5000, 422, "document_too_deep"),
    "too many nodes": (b"people: [" + b"a," * 60_000 + b"]", 422, "document_too_large"),
    "of another project": (_edit(lambda d: d.update(project="other")), 422, "project_mismatch"),
    "an unknown field": (_edit(lambda d: d.update(envs={})), 422, "unknown_field"),
    "an unknown environment": (_edit(lambda d: d["environments"]["prod"].update(after=["dve"])), 422, "unknown_name"),
    "an unknown target": (_edit(lambda d: d["environments"]["dev"].update(targets=["x"])), 422, "unknown_name"),
    "an unknown component": (_edit(lambda d: d["components"]["web"].update(depends_on=["x"])), 422, "unknown_name"),
    "environments in a cycle": (_edit(lambda d: d["environments"]["dev"].update(after=["prod"])), 422, "cycle"),
    "components in a cycle": (_edit(lambda d: d["components"]["api"].update(depends_on=["web"])), 422, "cycle"),
    "a bad duration": (_edit(lambda d: d["environments"]["dev"].update(soak="soon")), 422, "bad_duration"),
    "a secret nowhere": (
        _edit(lambda d: d["components"]["web"].update(secrets={"DB": "kv/shop#db"})),
        422,
        "bad_value",
    ),
    "what is not there yet": (_edit(lambda d: d["environments"]["dev"].update(on_failure="pause")), 422, "not_supported_yet"),
    "leaving out what runs": (_edit(lambda d: d["environments"].pop("dev") and d["environments"]["prod"].pop("after")), 409, "still_running"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "status", "code"), CATALOGUES.values(), ids=CATALOGUES)
def test_a_bad_catalogue_is_refused(edge: Shop, body: bytes | Callable[[Shop], bytes], status: int, code: str) -> None:
    before = all_there_is(edge)
    answer = edge.admin.ask("PUT", edge.path, body(edge) if callable(body) else body)
    assert answer.says == (status, code), answer.body
    assert all_there_is(edge) == before


def test_a_refused_catalogue_makes_no_project(edge: Shop) -> None:
    body = yaml.safe_dump(edge.document | {"project": "nobody", "targets": {}}).encode()
    assert edge.admin.ask("PUT", "/projects/nobody", body).says == (422, "unknown_name")
    assert edge.admin.ask("GET", "/projects/nobody").says == (404, "project_not_found")


def test_what_is_wrong_with_a_catalogue_is_told_by_line_and_column(edge: Shop) -> None:
    text = yaml.safe_dump(edge.document).replace("- dev\n", "- dve\n")
    [error] = edge.admin.ask("PUT", edge.path, text.encode()).body["errors"]
    line = next(number for number, line in enumerate(text.splitlines(), 1) if line.strip() == "- dve")
    assert (error["line"], error["pointer"]) == (line, "/environments/prod/after/0")


def _release(**images: Any) -> dict[str, Any]:
    return {"version": "2.0.0", "components": images}


GOOD = {"tag": "1.0.0"}
RELEASES = {
    "no JSON": (b'{"version": "2.0.0"', 422, "document_malformed"),
    "too large": (b" " * (MIB + 1), 422, "document_too_large"),
    "too deep": (b"[" * 5000 + b"]" * 5000, 422, "document_too_deep"),
    "source too deep": (b'{"source":' + b'{"a":' * 70 + b"1" + b"}" * 71, 422, "document_too_deep"),
    "a tag that is not there": (_release(api=GOOD, web={"tag": "9"}), 404, "tag_not_found"),
    "a digest that is not there": (_release(api=GOOD, web={"digest": ZEROS}), 404, "digest_not_found"),
    "a digest that is none": (_release(api=GOOD, web={"digest": "sha256:1"}), 422, "bad_reference"),
    "a tag that is none": (_release(api=GOOD, web={"tag": "../1"}), 422, "bad_reference"),
    "an unknown component": (_release(wob=GOOD), 422, "component_not_found"),
    "not what it depends on": (_release(web=GOOD), 422, "missing_field"),
    "a version that is none": ({"version": "../2", "components": {"api": GOOD}}, 422, "bad_value"),
    "a version that is taken": ({"version": "1.0.0", "components": {"api": {"tag": "1.1.0"}}}, 409, "release_exists"),
}


@pytest.mark.parametrize(("body", "status", "code"), RELEASES.values(), ids=RELEASES)
def test_a_bad_release_is_refused(edge: Shop, body: Any, status: int, code: str) -> None:
    before = all_there_is(edge)
    answer = edge.ana.ask("POST", f"{edge.path}/releases", body)
    assert answer.says == (status, code), answer.body
    assert all_there_is(edge) == before


def _asks(release: str, environment: str, **more: Any) -> dict[str, Any]:
    return {"release": release, "environment": environment, **more}


PROMOTIONS = {
    "no JSON": (b'{"release": ', 422, "document_malformed"),
    "too large": (b" " * (MIB + 1), 422, "document_too_large"),
    "too deep": (b'{"reason":' * 5000 + b"1" + b"}" * 5000, 422, "document_too_deep"),
    "an unknown field": (_asks("1.3.0", "dev", force=True), 422, "bad_request"),
    "an unknown release": (_asks("9", "dev"), 404, "release_not_found"),
    "an unknown environment": (_asks("1.3.0", "dve"), 404, "environment_not_found"),
    "a deprecated release": (_asks("1.1.0", "prod"), 409, "release_deprecated"),
    "an older release": (_asks("1.0.0", "dev"), 409, "release_older"),
    "a rollback to what never ran there": (_asks("1.0.0", "prod", intent="rollback"), 409, "nothing_to_roll_back_to"),
    "through a hold for no reason": (_asks("1.3.0", "dev", through_hold=" "), 422, "bad_value"),
}


@pytest.mark.parametrize(("body", "status", "code"), PROMOTIONS.values(), ids=PROMOTIONS)
def test_a_bad_promotion_is_refused(edge: Shop, body: Any, status: int, code: str) -> None:
    before = all_there_is(edge)
    answer = edge.ana.ask("POST", f"{edge.path}/promotions", body)
    assert answer.says == (status, code), answer.body
    assert all_there_is(edge) == before


def test_automation_does_not_go_through_a_hold(edge: Shop) -> None:
    before = all_there_is(edge)
    body = _asks("1.3.0", "dev", through_hold="it must")
    assert edge.admin.ask("POST", f"{edge.path}/promotions", body).says == (403, "not_allowed")
    assert all_there_is(edge) == before


def test_an_older_release_passes_as_a_rollback_only(edge: Shop) -> None:
    assert edge.ana.ask("POST", f"{edge.path}/promotions", _asks("1.0.0", "dev")).code == "release_older"
    id = edge.succeed("1.0.0", "dev", intent="rollback")
    assert edge.answers("dev-1") == "web 1.0.0"
    assert edge.view(id)["intent"] == "rollback"


def test_nobody_without_a_key_of_the_project_gets_in(edge: Shop, system: WholeSystem) -> None:
    with making_shops(system) as make:
        other = make()
        other.environment("dev")
        other.apply()
        assert other.ana.ask("POST", f"{edge.path}/promotions", _asks("1.3.0", "dev")).says == (403, "not_allowed")
        promotion = edge.list_promotions()[0]["id"]
        assert other.ana.ask("GET", f"/promotions/{promotion}").says == (404, "promotion_not_found")
    assert system.caller("flk_wrong").ask("GET", edge.path).says == (401, "unauthenticated")
