"""Appends events to history."""

from temporalio import activity

from fairlead.contracts import activities
from fairlead.contracts.steps import Append, AppendAll
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

    @activity.defn
    def append_all(self, request: AppendAll) -> None:
        """Record several events of one subject, all or none."""
        with self._db.session() as s:
            for event in request.events:
                history.append(s, event)
