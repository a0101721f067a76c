"""Releases: create, list, read, deprecate."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, BackgroundTasks, Response
from pydantic import Field, model_validator

from api import poking
from api.deps import CallerDep, ProjectDep, ServicesDep
from api.pages import Page, SliceDep, page
from api.route import Route
from fairlead.commands import releases, reports
from fairlead.contracts.base import Strict
from fairlead.contracts.records import ReleaseRecord
from fairlead.store import releases as stored

router = APIRouter(prefix="/projects/{project}/releases", tags=["releases"], route_class=Route)

Text = Annotated[str, Field(min_length=1, max_length=200)]


class WantedImage(Strict):
    """The image of one component: by tag or by digest, exactly one."""

    tag: Text | None = None
    digest: Text | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> "WantedImage":
        if (self.tag is None) == (self.digest is None):
            raise ValueError("give a tag or a digest, exactly one")
        return self


class NewRelease(Strict):
    """Tags are resolved to digests now, and never again."""

    version: Text
    components: Annotated[dict[Text, WantedImage], Field(min_length=1, max_length=500)]
    source: dict[str, Any] | None = None
    config: dict[str, Any] | None = None


class ReleaseChange(Strict):
    """All that may change of a release."""

    state: Literal["active", "deprecated"]


@router.post("", status_code=201, responses={200: {"description": "the same release was there before"}})
def create_release(
    project: ProjectDep, wanted: NewRelease, caller: CallerDep, services: ServicesDep, response: Response
) -> ReleaseRecord:
    """Create a release."""
    made = releases.create_release(
        services.database,
        services.images,
        services.decision,
        project,
        wanted.version,
        {name: releases.Wanted(image.tag, image.digest) for name, image in wanted.components.items()},
        source=wanted.source,
        config=wanted.config,
        actor=caller.subject,
        now=services.now(),
    )
    response.status_code = 201 if made.created else 200
    response.headers["Location"] = f"/api/v1/projects/{project}/releases/{wanted.version}"
    return made.release


@router.get("")
def list_releases(project: ProjectDep, services: ServicesDep, asked: SliceDep) -> Page[ReleaseRecord]:
    """Releases, newest first."""
    with services.database.session() as s:
        rows = stored.list_releases(s, project, before=asked.place, limit=asked.limit + 1)
    return page(rows, asked, lambda row: row.ordinal, lambda row: row)


@router.get("/{version}")
def show_release(project: ProjectDep, version: str, services: ServicesDep) -> ReleaseRecord:
    """One release with its manifest."""
    with services.database.session() as s:
        return releases.require_release(s, project, version)


@router.post("/{version}/reports")
def fetch_reports(
    project: ProjectDep, version: str, caller: CallerDep, services: ServicesDep, background: BackgroundTasks
) -> reports.Fetched:
    """Import the reports that are attached to its images in their registries."""
    found = reports.import_attached(
        services.database, services.images, project, version, actor=caller.subject, now=services.now()
    )
    background.add_task(poking.poke_project, services, project)
    return found


@router.patch("/{version}")
def change_release(
    project: ProjectDep, version: str, wanted: ReleaseChange, caller: CallerDep, services: ServicesDep
) -> ReleaseRecord:
    """Deprecate a release, or take that back."""
    change = releases.deprecate if wanted.state == "deprecated" else releases.activate
    return change(services.database, project, version, actor=caller.subject, now=services.now())
