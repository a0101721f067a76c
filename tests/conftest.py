"""Fixtures come from one module per component; see tests/fixtures/."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis.configuration import set_hypothesis_home_dir

from tests import kerberos_libraries
from tests.sharing import ByWhatIsShared, turn

sys.path.extend(kerberos_libraries.paths())  # before anything looks for them
set_hypothesis_home_dir(Path(__file__).parent.parent / "build" / "hypothesis")

pytest_plugins = [
    "tests.fixtures.postgres",
    "tests.fixtures.temporal",
    "tests.fixtures.docker",
    "tests.fixtures.compose",
    "tests.fixtures.images",
    "tests.fixtures.process",
    "tests.fixtures.hostile",
    "tests.fixtures.ssh",
    "tests.fixtures.systemd",
    "tests.fixtures.evidence",
    "tests.fixtures.nomad",
    "tests.fixtures.winrm",
    "tests.fixtures.kerberos",
    "tests.fixtures.powershell",
    "tests.fixtures.vault",
    "tests.fixtures.aws",
    "tests.fixtures.ecs",
]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests that take very long are left to `make soak`; of the others the longest come first."""
    items.sort(key=lambda item: turn(item.nodeid))
    if os.environ.get("FAIRLEAD_SOAK") != "1":
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("soak")])
        items[:] = [item for item in items if not item.get_closest_marker("soak")]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByWhatIsShared | None:
    """Where files stay together, whole folders may too."""
    return ByWhatIsShared(config, log) if config.getvalue("dist") == "loadfile" else None
