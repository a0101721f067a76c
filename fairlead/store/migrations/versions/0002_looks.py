"""What looks between deployments have come to."""

from typing import Any

from alembic import op

revision = "0002"
down_revision = "0001"

LOOKS = """
CREATE TABLE release.looks (
    project            text NOT NULL,
    environment        text NOT NULL,
    target             text NOT NULL,
    deployment         text NOT NULL,
    time               timestamptz NOT NULL,
    observation        text NOT NULL,
    unreachable_since  timestamptz,
    seen               jsonb NOT NULL,
    drift              jsonb NOT NULL,
    since              timestamptz,
    statement          text,
    PRIMARY KEY (project, environment, target)
);
CREATE INDEX promotions_of_environment ON release.promotions (project, environment, intent, ordinal);
"""


def upgrade() -> None:
    """Make them, and find promotions of one intent in one environment."""
    connection: Any = op.get_bind().connection.driver_connection
    connection.execute(LOOKS)
