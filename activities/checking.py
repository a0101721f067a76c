"""Asking targets whether they are fit to be deployed to. What is in the way is an answer, with its code and what mends it."""

import time
from datetime import timedelta

from sqlmodel import Session
from temporalio import activity

from activities import lookup
from activities.observing import Eyes
from fairlead.commands import inventory
from fairlead.contracts.checks import CheckTarget, TargetChecked, TargetFinding
from fairlead.contracts.target import TargetAddress
from fairlead.domain.errors import FairleadError
from fairlead.domain.fitness import TargetFacts, judge
from fairlead.domain.grades import Finding, Grade
from fairlead.ports import Checks
from fairlead.store.database import Database

NOWHERE = "none"
"""The environment of a target that belongs to none."""


def check(db: Database, eyes: Eyes, request: CheckTarget) -> TargetChecked:
    """Connect, have it tell of itself, and judge that."""
    with db.session() as s:
        address = _address(s, request)
    earliest, since = activity.info().started_time, time.monotonic()
    try:
        facts = _ask(eyes, address)
    except FairleadError as error:
        found = TargetFinding(
            check="connects", grade=Grade.FAILED, detail=error.detail, fix=_fix(error), code=str(error.code)
        )
        return TargetChecked(target=request.target, items=(found,))
    judged = judge(facts, earliest, earliest + timedelta(seconds=time.monotonic() - since))
    return TargetChecked(target=request.target, items=tuple(_told(finding) for finding in judged))


def _ask(eyes: Eyes, address: TargetAddress) -> TargetFacts:
    executor = eyes.executor(address)
    if isinstance(executor, Checks):
        return executor.check(address)
    executor.read_sticker(address)  # whoever can read that was let in
    return TargetFacts()


def _address(s: Session, request: CheckTarget) -> TargetAddress:
    """By the catalogue of now. Raises NotFound (target_not_found)."""
    catalogue = lookup.project_catalogue(s, request.project)
    target = inventory.require_target(catalogue, request.target)
    place = inventory.environment_of(catalogue, target.name)
    return TargetAddress(
        project=request.project,
        environment=place.name if place else NOWHERE,
        target=target.name,
        type=target.type.value,
        endpoint=target.endpoint,
        options=dict(target.options),
    )


def _fix(error: FairleadError) -> str:
    return error.hint or f"see {error.code} in docs/errors.md"


def _told(finding: Finding) -> TargetFinding:
    return TargetFinding(check=finding.check, grade=finding.grade.value, detail=finding.detail, fix=finding.fix)
