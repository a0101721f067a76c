"""Applying a catalogue, and sealing which trusted keys came and went with it."""

from api.auth import is_admin
from api.services import Services
from fairlead.commands import catalogue, sealing
from fairlead.contracts.records import KeyRecord


def apply(services: Services, caller: KeyRecord, project: str, body: bytes, *, dry_run: bool) -> catalogue.Applied:
    """Make a project what its catalogue says. The keys are sealed after it, and by the next apply if we fail in between."""
    now = services.now()
    applied = catalogue.apply_catalogue(
        services.database,
        project,
        catalogue.parse(body),
        actor=caller.subject,
        admin=is_admin(caller),
        now=now,
        dry_run=dry_run,
    )
    if not dry_run:
        with services.database.session() as s:
            sealing.record_keys(
                s,
                project,
                decision=services.decision,
                ledger=services.ledger,
                agents=services.agents,
                actor=caller.subject,
                time=now,
            )
    return applied
