"""Applying a catalogue, and sealing which trusted keys came and went with it."""

from pydantic import ValidationError

from api.auth import is_admin
from api.bodies import read_json
from api.services import Services
from fairlead.commands import catalogue, sealing
from fairlead.contracts.base import Strict
from fairlead.contracts.records import KeyRecord
from fairlead.domain.catalogue import Catalogue
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput

MEDIA_TYPE = "application/vnd.fairlead.catalogue+json"
"""A catalogue's text and the files it names, in one JSON object."""


class Bundled(Strict):
    """`catalogue`: the text of fairlead.yaml; `files`: path to content."""

    catalogue: str
    files: dict[str, str] = {}


def read(body: bytes, media_type: str, file: str = catalogue.DEFAULT_FILE) -> Catalogue:
    """The catalogue of a request's body; `file`: what its author calls it. Raises BadInput."""
    if media_type.partition(";")[0].strip().lower() != MEDIA_TYPE:
        return catalogue.parse(body, file=file)
    try:
        bundled = Bundled.model_validate(read_json(body))
    except ValidationError as error:
        raise BadInput(Code.BAD_REQUEST, f"not {MEDIA_TYPE}: {error.errors()[0]['msg']}") from error
    return catalogue.parse(bundled.catalogue, files=bundled.files, file=file)


def apply(
    services: Services,
    caller: KeyRecord,
    project: str,
    declared: Catalogue,
    *,
    dry_run: bool,
    shown: int | None = None,
) -> catalogue.Applied:
    """Make a project what its catalogue says. The keys are sealed after it, and by the next apply if we fail in between."""
    now = services.now()
    applied = catalogue.apply_catalogue(
        services.database,
        project,
        declared,
        actor=caller.subject,
        admin=is_admin(caller),
        now=now,
        dry_run=dry_run,
        shown=shown,
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
