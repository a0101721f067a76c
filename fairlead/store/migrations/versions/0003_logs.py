"""The last lines that applications printed."""

from typing import Any

from alembic import op

revision = "0003"
down_revision = "0002"

LOGS = """
CREATE TABLE release.logs (
    project     text NOT NULL,
    target      text NOT NULL,
    deployment  text NOT NULL,
    component   text NOT NULL,
    time        timestamptz NOT NULL,
    text        text NOT NULL CHECK (length(text) <= 65536),
    PRIMARY KEY (project, target, deployment, component)
);
CREATE INDEX logs_of_deployment ON release.logs (project, deployment);
"""


def upgrade() -> None:
    """Make them."""
    connection: Any = op.get_bind().connection.driver_connection
    connection.execute(LOGS)
