"""`fairlead doctor` looks from this machine to the server's own parts."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from fairlead.cli import clock, doctor
from fairlead.domain.grades import Grade
from tests.api.office import Office
from tests.cli.terminal import Terminal


def grades(terminal: Terminal) -> dict[str, str]:
    return {item["check"]: item["grade"] for item in terminal.run("doctor", "--json").json["items"]}


def test_all_is_well(ana: Terminal, office: Office) -> None:
    said = ana.run("doctor")
    assert said.code == 0, said
    assert {"✓ server", "✓ database", "✓ temporal", "✓ project"} <= {
        line.partition(":")[0] for line in said.out.splitlines()
    }


def test_what_is_wrong_with_the_server_ends_with_one(ana: Terminal, office: Office) -> None:
    office.orchestrator.workers = 0
    said = ana.run("doctor")
    assert said.code == 1
    assert "fix: fairlead serve worker" in said.out


def test_a_server_that_is_away_is_told(terminal: Callable[..., Terminal]) -> None:
    said = terminal("ana").run("doctor", "--json", FAIRLEAD_URL="http://127.0.0.1:9")
    assert said.code == 1
    assert {item["check"]: item["grade"] for item in said.json["items"]}["server"] == "failed"


def test_a_signing_key_that_others_may_read_is_told(ana: Terminal) -> None:
    (ana.home / "signing_key.pem").chmod(0o644)
    assert grades(ana)["signing key"] == "failed"


def test_a_missing_signing_key_is_a_warning(terminal: Callable[..., Terminal]) -> None:
    assert grades(terminal("integration:ci", "admin"))["signing key"] == "warning"


def test_a_project_that_is_not_there_is_told(ana: Terminal) -> None:
    ana.environment["FAIRLEAD_PROJECT"] = "nothing"
    assert grades(ana)["project"] == "failed"


@pytest.mark.parametrize(
    ("said", "grade"),
    [
        (None, Grade.WARNING),
        ("nonsense", Grade.WARNING),
        ("Sat, 21 Nov 2015 10:01:30 GMT", Grade.FAILED),
        ("Sat, 21 Nov 2015 10:00:30 GMT", Grade.OK),
        ("Sat, 21 Nov 2015 09:59:30 GMT", Grade.OK),
    ],
)
def test_clocks_are_compared(said: str | None, grade: Grade, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2015, 11, 21, 10, tzinfo=UTC))
    assert doctor._clocks(said).grade is grade
