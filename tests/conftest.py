"""Fixtures come from one module per component; see tests/fixtures/."""

pytest_plugins = [
    "tests.fixtures.postgres",
    "tests.fixtures.temporal",
    "tests.fixtures.docker",
    "tests.fixtures.images",
    "tests.fixtures.process",
]
