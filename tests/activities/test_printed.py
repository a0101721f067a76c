"""What applications print: heard while they start, kept for whoever asks, and never with a secret."""

import threading
from copy import deepcopy
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities import printed
from activities.targets import TargetActivities
from fairlead.contracts.logs import LogsRead, ReadLogs
from fairlead.contracts.records import LogRecord
from fairlead.contracts.steps import Outline, TaskInput
from fairlead.contracts.target import TargetAddress
from fairlead.domain.errors import Refused
from fairlead.domain.masking import MASK
from fairlead.domain.printed import WITHHELD
from fairlead.store import logs
from tests.activities.shop import SHOP, Shop, at

SECRET = "s3cr3t-of-the-shop"


class Talking:
    """An executor whose applications print what the test says; all else is the memory host's."""

    def __init__(self, executor: Any, says: str) -> None:
        self._executor, self.says = executor, says

    def logs(self, address: TargetAddress, component: str, lines: int) -> str:
        self._executor.logs(address, component, lines)
        return "\n".join(self.says.splitlines()[-lines:])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._executor, name)


@pytest.fixture
def targets(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> TargetActivities:
    """Its web is given a secret, and prints it."""
    monkeypatch.setattr(printed, "LISTEN_FIRST_SECONDS", 0.02)
    shop.safe.put("env://TOKEN", SECRET)
    document = deepcopy(SHOP)
    document["components"]["web"]["secrets"] = {"TOKEN": "env://TOKEN"}
    shop.apply(document)
    talking = {"process_host": Talking(shop.executors["process_host"], f"starting\ntoken is {SECRET}\n")}
    return TargetActivities(shop.db, talking, secrets=shop.safe)  # type: ignore[arg-type]


def deploy(shop: Shop) -> Outline:
    return shop.open_deployment(shop.promote("1.0.0"))


def kept(shop: Shop) -> list[LogRecord]:
    with shop.db.session() as s:
        return logs.of_target(s, "shop", "dev-1")


def read(targets: TargetActivities, **more: Any) -> LogsRead:
    """Once nobody listens any more: who is late may still write."""
    for ears in [thread for thread in threading.enumerate() if thread.name == "ears"]:
        ears.join(30)
    answer: LogsRead = ActivityEnvironment().run(targets.read_logs, ReadLogs(project="shop", target="dev-1", **more))
    return answer


def test_what_runs_is_read_into_the_store_masked(shop: Shop, targets: TargetActivities) -> None:
    outline = deploy(shop)
    ActivityEnvironment().run(targets.apply, TaskInput(deployment=outline.deployment, target="dev-1"))
    assert read(targets, lines=1) == LogsRead(deployment=outline.deployment, components=("web",))
    [record] = kept(shop)
    assert (record.component, record.text) == ("web", f"token is {MASK}")


def test_what_starts_and_fails_is_heard_meanwhile(shop: Shop, targets: TargetActivities) -> None:
    document = deepcopy(SHOP)
    document["components"]["web"] |= {"secrets": {"TOKEN": "env://TOKEN"}, "env": {"BROKEN": "1"}}
    shop.apply(document)
    outline = deploy(shop)
    with pytest.raises(Refused):
        ActivityEnvironment().run(targets.apply, TaskInput(deployment=outline.deployment, target="dev-1"))
    [record] = kept(shop)
    assert (record.deployment, record.text) == (outline.deployment, f"starting\ntoken is {MASK}")


def test_lines_are_withheld_where_a_secret_cannot_be_read(shop: Shop, targets: TargetActivities) -> None:
    outline = deploy(shop)
    ActivityEnvironment().run(targets.apply, TaskInput(deployment=outline.deployment, target="dev-1"))
    shop.safe.values.clear()
    read(targets)
    assert [record.text for record in kept(shop)] == [WITHHELD]


def test_a_target_that_cannot_be_reached_is_told_by_code(shop: Shop, targets: TargetActivities) -> None:
    outline = deploy(shop)
    ActivityEnvironment().run(targets.apply, TaskInput(deployment=outline.deployment, target="dev-1"))
    shop.world.named("dev-1").unreachable = True
    assert read(targets).code == "target_unreachable"


def test_where_nothing_was_ever_deployed_there_is_nothing_to_read(targets: TargetActivities) -> None:
    assert read(targets) == LogsRead()


def test_of_a_target_only_the_latest_deployments_are_kept(shop: Shop) -> None:
    with shop.db.session() as s:
        for number in range(logs.KEPT_DEPLOYMENTS + 3):
            line = LogRecord(
                project="shop", target="dev-1", deployment=f"d{number}", component="web", time=at(number), text="x"
            )
            logs.put(s, line)
    assert [record.deployment for record in kept(shop)] == [f"d{n}" for n in range(12, 2, -1)]
