"""Reading a catalogue with line and column, and applying it."""

import time
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session

from fairlead.adapters.signer import FileSigner
from fairlead.commands.catalogue import DEFAULT_FILE, Change, diff, document, load, of_project, parse
from fairlead.contracts.names import project_subject
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Conflict, NotAllowed
from fairlead.store import history, projects
from tests.commands.world import NOW, World, at
from tests.domain.documents import GOOD, MISSING, good_with

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
TEXT = """\
project: shop
components:
  web:
    repository: localhost:5000/shop/web
    prots: ["8080:8080"]
environments:
  dev: {targets: [dev-1], soak: soon}
targets:
  dev-1: {type: docker_host, endpoint: "unix:///var/run/docker.sock"}
"""


def test_every_flaw_has_its_line_and_column() -> None:
    with pytest.raises(BadInput) as refused:
        parse(TEXT)
    places = {flaw.pointer: (flaw.code, flaw.line, flaw.column) for flaw in refused.value.flaws}
    assert places == {
        "/components/web/prots": (Code.UNKNOWN_FIELD, 5, 5),
        "/environments/dev/soak": (Code.BAD_DURATION, 7, 27),
    }
    assert refused.value.detail.startswith(f"{DEFAULT_FILE}:5:5: unknown field prots; did you mean ports?")


def test_a_file_that_is_no_yaml_is_refused_with_its_name_line_and_column() -> None:
    with pytest.raises(BadInput, match=r"^shop\.yaml:2:") as refused:
        parse("a: [1,\n b: }", file="shop.yaml")
    assert refused.value.code is Code.DOCUMENT_MALFORMED


def test_a_tree_is_refused_with_pointers() -> None:
    with pytest.raises(BadInput) as refused:
        load(good_with("environments/dev/soak", "soon"))
    assert refused.value.flaws[0].pointer == "/environments/dev/soak"


RSA = """-----BEGIN PUBLIC KEY-----
MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf
9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQ==
-----END PUBLIC KEY-----
"""


@pytest.mark.parametrize("key", [RSA, "-----BEGIN PUBLIC KEY-----\nnonsense\n-----END PUBLIC KEY-----"])
def test_a_key_must_be_an_ed25519_public_key(key: str) -> None:
    with pytest.raises(BadInput) as refused:
        load(good_with("people/ana/keys", [key]))
    assert refused.value.flaws[0].pointer == "/people/ana/keys/0"


def test_two_people_may_not_share_a_key(signer: FileSigner) -> None:
    tree = good_with("people/ana/keys", [signer.public_pem])
    assert load(tree).people["ana"].keys == (signer.public_pem,)
    tree["people"]["ben"]["keys"] = [signer.public_pem + "\n"]
    with pytest.raises(BadInput, match="ana has the same key"):
        load(tree)


def test_the_normalised_document_loads_to_the_same_catalogue() -> None:
    assert load(document(load(GOOD))) == load(GOOD)


@pytest.mark.parametrize(
    ("path", "value", "change"),
    [
        ("environments/dev/soak", "5m", Change("change", "environment", "dev", {"soak": {"old": "10m", "new": "5m"}})),
        (
            "environments/prod/strategy/batch",
            2,
            Change("change", "environment", "prod", {"strategy.batch": {"old": 1, "new": 2}}),
        ),
        (
            "people/cho",
            {"groups": ["dev"]},
            Change(
                "create",
                "person",
                "cho",
                {"groups": {"old": None, "new": ["dev"]}, "keys": {"old": None, "new": []}},
            ),
        ),
        (
            "targets/prod-2/labels",
            MISSING,
            Change("change", "target", "prod-2", {"labels.site": {"old": "ams", "new": None}}),
        ),
    ],
)
def test_a_diff_names_what_changes(path: str, value: object, change: Change) -> None:
    assert diff(load(GOOD), load(good_with(path, value))) == (change,)


def test_a_first_catalogue_is_all_creation() -> None:
    assert {change.action for change in diff(None, load(GOOD))} == {"create"}
    assert diff(load(GOOD), load(GOOD)) == ()


def events(world: World) -> list[str]:
    with world.db.session() as s:
        return [event.type for event in history.events(s, project_subject("shop"))]


def test_applying_again_changes_nothing(world: World) -> None:
    again = world.apply()
    assert (again.revision, again.changes) == (1, ())
    assert events(world) == ["catalogue_applied"]


def test_a_dry_run_tells_and_does_nothing(world: World) -> None:
    world.document["environments"]["dev"]["soak"] = "1s"
    told = world.apply(dry_run=True)
    assert [change.name for change in told.changes] == ["dev"]
    with world.db.session() as s:
        assert of_project(s, "shop").environments["dev"].soak == 600.0


def test_a_change_is_a_revision_and_an_event(world: World) -> None:
    world.document["environments"]["dev"]["soak"] = "1s"
    done = world.apply()
    assert done.revision == 2
    assert events(world) == ["catalogue_applied"] * 2
    with world.db.session() as s:
        record = projects.get(s, "shop")
    assert record is not None
    assert record.digest == done.digest


def test_changes_apply_to_what_they_were_shown_against_alone(world: World) -> None:
    world.document["environments"]["dev"]["soak"] = "1s"
    shown = world.apply(dry_run=True).revision
    done = world.apply(shown=shown)
    assert world.apply(shown=shown).revision == done.revision  # the same once more, its answer was lost
    world.document["environments"]["dev"]["soak"] = "2s"
    with pytest.raises(Conflict) as refused:
        world.apply(shown=shown)
    assert refused.value.code is Code.CATALOGUE_CHANGED


def test_a_catalogue_of_another_project_is_refused(world: World) -> None:
    world.document["project"] = "other"
    with pytest.raises(BadInput, match="of other") as refused:
        world.apply()
    assert refused.value.code is Code.PROJECT_MISMATCH


def test_only_an_admin_changes_people(world: World) -> None:
    world.document["people"]["ana"]["groups"] = ["sre", "dev"]
    with pytest.raises(NotAllowed, match="ana"):
        world.apply(admin=False)
    world.document["people"]["ana"]["groups"] = ["sre"]
    world.document["environments"]["dev"]["soak"] = "1s"
    assert world.apply(admin=False).revision == 2


def without_dev(tree: dict[str, Any]) -> None:
    del tree["environments"]["dev"]
    tree["environments"]["prod"]["after"] = []


def with_another_dev_target(tree: dict[str, Any]) -> None:
    tree["targets"]["dev-2"] = {"type": "process_host", "endpoint": "process:dev-2"}
    tree["environments"]["dev"]["targets"] = ["dev-2"]


def with_dev_of_another_type(tree: dict[str, Any]) -> None:
    tree["targets"]["dev-1"] = {"type": "docker_host", "endpoint": "unix:///var/run/docker.sock"}


def without_web(tree: dict[str, Any]) -> None:
    del tree["components"]["web"]
    del tree["targets"]["prod-2"]["config"]


@pytest.mark.parametrize("leave_out", [without_dev, with_another_dev_target, with_dev_of_another_type, without_web])
def test_what_runs_may_not_be_left_out(world: World, leave_out: Any) -> None:
    world.release("1.0.0")
    world.deploy("1.0.0", "dev")
    leave_out(world.document)
    with pytest.raises(Conflict, match="still runs") as refused:
        world.apply(dry_run=True)
    assert refused.value.code is Code.STILL_RUNNING


@pytest.mark.parametrize("leave_out", [without_dev, with_another_dev_target, with_dev_of_another_type, without_web])
def test_what_does_not_run_may_be_left_out(world: World, leave_out: Any) -> None:
    leave_out(world.document)
    assert world.apply(now=at(1)).revision == 2


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/fairlead*.yaml")), ids=lambda path: str(path.parent.name))
def test_every_example_breaks_no_rule(path: Path) -> None:
    files = {beside.name: beside.read_text() for beside in path.parent.iterdir() if beside.is_file()}
    assert parse(path.read_bytes(), files=files).targets


@pytest.mark.parametrize("name", ["fairlead.yaml", "fairlead.process.yaml"])
def test_the_examples_of_the_shop_are_good(name: str) -> None:
    shop = parse((EXAMPLES / "shop" / name).read_bytes(), file=name)
    prod = shop.environments["prod"]
    assert list(shop.environments) == ["dev", "staging", "prod"]
    assert prod.approval is not None
    assert (prod.approval.count, prod.approval.groups, prod.security is not None) == (2, {"sre": 1}, True)
    ports = [port for target in shop.targets.values() for ports in target.config.ports.values() for port in ports]
    assert len({port.partition(":")[0] for port in ports}) == len(shop.targets) * len(shop.components)


def test_people_whom_an_admin_has_just_changed_are_not_changed_back_by_others(world: World) -> None:
    """Who applies at the same time is judged by the catalogue that he finds when it is his turn."""
    theirs = deepcopy(world.document)
    theirs["people"]["ana"]["groups"] = ["sre", "dev"]
    world.document["environments"]["dev"]["soak"] = "1s"
    with ThreadPoolExecutor(1) as pool:
        with world.db.session() as s:
            projects.lock(s, "shop")
            late = pool.submit(world.apply, admin=False)
            await_waiting(s)
            projects.save(s, name="shop", catalogue=document(load(theirs)), actor="ana", time=NOW)
        with pytest.raises(NotAllowed):
            late.result(timeout=60)


def await_waiting(s: Session) -> None:
    """Return when somebody waits for a name that is held."""
    here = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    waiting = text(f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND {here}")  # noqa: S608
    until = time.monotonic() + 60
    while not s.connection().execute(waiting).scalar_one():
        assert time.monotonic() < until, "nobody waits"
        time.sleep(0.02)
