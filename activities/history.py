"""Appends events to history."""

from temporalio import activity

from fairlead.contracts import activities
from fairlead.contracts.steps import Append
from fairlead.store import history
from fairlead.store.database import Database


class HistoryActivities(activities.HistoryActivities):
    """The append-only record, in Postgres."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @activity.defn
    def append(self, event: Append) -> None:
        """Record an event and project it into its row."""
        with self._db.session() as s:
            history.append(s, event)
