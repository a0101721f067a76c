"""`fairlead logs`: live from a target, what is kept where nobody can be asked, and of a promotion's tasks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.cli import exits
from fairlead.cli.logs import fresh
from fairlead.commands import catalogue
from fairlead.contracts.logs import LogsRead
from fairlead.contracts.records import LogRecord
from fairlead.store import logs
from tests.activities.shop import SHOP, at
from tests.api.office import Office
from tests.cli.terminal import Terminal


@pytest.fixture
def deployment(office: Office) -> str:
    """A deployment of 1.0.0 in dev, of which lines are kept; a worker says that it read them just now."""
    id = office.shop.open_deployment(office.promotion("1.0.0", "dev")).deployment
    line = LogRecord(
        project="shop", target="dev-1", deployment=id, component="web", time=at(9), text="starting\nlistening"
    )
    with office.shop.db.session() as s:
        logs.put(s, line)
    office.orchestrator.heard = LogsRead(deployment=id, components=("web",))
    return id


def test_the_last_lines_of_a_target_are_printed_as_they_are(ana: Terminal, deployment: str) -> None:
    assert ana.run("logs", "dev-1").out == "starting\nlistening\n"
    assert ana.run("logs", "dev-1", "web", "--lines", "1").out == "listening\n"
    answer = ana.json("logs", "dev-1")
    assert (answer["state"], answer["items"][0]["deployment"]) == ("live", deployment)


def test_where_nobody_can_be_asked_it_says_so_and_shows_what_is_kept(
    office: Office, ana: Terminal, deployment: str
) -> None:
    office.orchestrator.available = False
    said = ana.run("logs", "dev-1")
    assert (said.code, said.out) == (0, "starting\nlistening\n")
    assert said.err.startswith("unavailable: ")
    answer = ana.json("logs", "dev-1")
    assert (answer["state"], answer["code"]) == ("unavailable", "temporal_unavailable")


@pytest.mark.parametrize("words", [["{id}"], ["{id}", "dev-1"], ["--promotion", "{id}"], ["--deployment", "{id}"]])
def test_what_is_kept_of_a_promotion_is_found_by_its_id(ana: Terminal, deployment: str, words: list[str]) -> None:
    named = [word.format(id=deployment) for word in words]
    assert ana.run("logs", *named).out == "starting\nlistening\n"
    [task] = ana.json("logs", *named)["items"]
    assert (task["target"], task["component"], task["state"]) == ("dev-1", "web", "pending")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nothing-here"], exits.MISSING),
        (["dev-1", "nothing"], exits.MISSING),
        ([], exits.USAGE),
        (["dev-1", "--follow", "--json"], exits.USAGE),
        (["--promotion", "a", "--deployment", "b"], exits.USAGE),
    ],
)
def test_what_is_not_there_or_makes_no_sense_is_refused(
    ana: Terminal, deployment: str, words: list[str], code: int
) -> None:
    assert ana.run("logs", *words).code == code


def test_who_may_not_read_the_project_reads_no_logs(office: Office, ana: Terminal, deployment: str) -> None:
    elsewhere = catalogue.load({**SHOP, "project": "elsewhere"})
    catalogue.apply_catalogue(office.shop.db, "elsewhere", elsewhere, actor="ana", admin=True, now=at(0))
    other = office.key("integration:other", project="elsewhere")
    assert ana.run("logs", "dev-1", FAIRLEAD_KEY=other).code == exits.FORBIDDEN
    assert ana.run("logs", "--deployment", deployment, FAIRLEAD_KEY=other).code == exits.MISSING


@given(st.lists(st.integers(), max_size=20, unique=True), st.integers(0, 20), st.integers(1, 20))
def test_following_prints_every_line_once(printed: list[int], seen: int, window: int) -> None:
    lines = [str(number) for number in printed]
    old, new = lines[:seen][-window:], lines[-window:]
    assert list(fresh(old, new)) == lines[max(seen, len(lines) - window) :]
