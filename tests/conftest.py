"""Fixtures come from one module per component; see tests/fixtures/."""

from pathlib import Path

from hypothesis.configuration import set_hypothesis_home_dir

set_hypothesis_home_dir(Path(__file__).parent.parent / "build" / "hypothesis")

pytest_plugins = [
    "tests.fixtures.postgres",
    "tests.fixtures.temporal",
    "tests.fixtures.docker",
    "tests.fixtures.images",
    "tests.fixtures.process",
]
