"""Settings come from the environment; what is made from them is what the rest of the system expects."""

from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import ValidationError
from temporalio.client import Client

from fairlead.contracts import activities as stubs
from fairlead.domain.catalogue import TargetType
from fairlead.ports import NoFailPoints
from tests.activities.shop import Shop
from workers import temporal_server
from workers.access import Keys, open_keys
from workers.settings import Settings
from workers.wiring import build_activities, build_executors


def test_everything_can_be_set_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FAIRLEAD_DATA", str(tmp_path))
    monkeypatch.setenv("FAIRLEAD_DATABASE_URL", "postgresql://somewhere")
    monkeypatch.setenv("FAIRLEAD_API_PORT", "1234")
    monkeypatch.setenv("FAIRLEAD_FAIL_POINTS", str(tmp_path / "points"))
    settings = Settings()
    assert (settings.database_url, settings.api_port) == ("postgresql://somewhere", 1234)
    assert settings.fail_points == tmp_path / "points"
    assert (settings.keys, settings.layouts, settings.hosts) == (
        tmp_path / "keys",
        tmp_path / "layouts",
        tmp_path / "hosts",
    )


BAD = [("API_PORT", "-1"), ("API_PORT", "65536"), ("API_PORT", "x"), ("API_PORT", "8420.5"), ("API_PORT", "")]
BAD += [("RECONCILE_EVERY", text) for text in ("0", "-1", "nan", "inf", "1e400", "1h", "99999999", "")]


@pytest.mark.parametrize(("name", "text"), BAD)
def test_a_number_that_no_system_could_run_with_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv(f"FAIRLEAD_{name}", text)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


def test_keys_are_made_once_and_are_three(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    first, again = open_keys(settings), open_keys(settings)
    assert first.decision.keyid == again.decision.keyid
    assert len({first.decision.keyid, first.ledger.keyid, first.agent.keyid}) == 3
    assert {path.stat().st_mode & 0o777 for path in settings.keys.iterdir()} == {0o600}


def test_there_is_an_executor_for_every_target_type(tmp_path: Path) -> None:
    executors = build_executors(Settings(data=tmp_path), NoFailPoints())
    assert set(executors) == set(TargetType)


async def test_every_activity_that_workflows_know_is_carried_out_once(database: object, temporal: Client) -> None:
    shop = Shop(database)  # type: ignore[arg-type]
    keys = Keys(decision=shop.decision, ledger=shop.ledger, agent=shop.agent)
    built = build_activities(shop.db, temporal, keys, shop.executors, NoFailPoints())
    done = sorted(method.__qualname__ for method in (*built.control, *built.targets))
    classes = [kind for name, kind in vars(stubs).items() if name.endswith("Activities")]
    known = sorted(f"{kind.__name__}.{name}" for kind in classes for name in vars(kind) if not name.startswith("_"))
    assert done == known
    assert {method.__qualname__.partition(".")[0] for method in built.targets} == {"TargetActivities"}


def test_the_dev_server_keeps_its_state_listens_on_loopback_and_shows_its_ui(tmp_path: Path) -> None:
    words = temporal_server.command(port=7, ui_port=8, database=tmp_path / "t.db")
    pairs = set(pairwise(words))
    assert {("--ip", "127.0.0.1"), ("--ui-ip", "127.0.0.1"), ("--port", "7"), ("--ui-port", "8")} <= pairs
    assert {("--db-filename", str(tmp_path / "t.db")), ("--sqlite-pragma", "journal_mode=WAL")} <= pairs
    assert ("--search-attribute", "FairleadProject=Keyword") in pairs
    assert "--headless" not in words
