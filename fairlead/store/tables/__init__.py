"""The tables of schema `release`, by subject. Importing this package registers every one."""

from fairlead.store.tables import (
    access,
    catalogue,
    deployment,
    facts,
    history,
    lane,
    ledger,
    logs,
    promotion,
    release,
    watch,
)
from fairlead.store.tables.row import Row

__all__ = [
    "Row",
    "access",
    "catalogue",
    "deployment",
    "facts",
    "history",
    "lane",
    "ledger",
    "logs",
    "promotion",
    "release",
    "watch",
]
