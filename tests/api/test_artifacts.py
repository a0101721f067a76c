"""What was sent to targets, over HTTP."""

import httpx
import pytest
from temporalio.testing import ActivityEnvironment

from fairlead.contracts.canonical import digest_bytes
from fairlead.contracts.steps import TaskInput
from fairlead.store.artifacts import PostgresArtifacts
from tests.api.office import Office


@pytest.fixture
def deployment(office: Office) -> str:
    """A deployment that has been carried out on one target."""
    opened = office.shop.open_deployment(office.promotion(environment="dev")).deployment
    ActivityEnvironment().run(office.shop.targets.apply, TaskInput(deployment=opened, target="dev-1"))
    return opened


async def test_files_are_listed_and_come_as_they_were_sent(deployment: str, ana: httpx.AsyncClient):
    [sent] = (await ana.get(f"/api/v1/deployments/{deployment}/artifacts")).json()["items"]
    [file] = sent["files"]
    answer = await ana.get(f"/api/v1/deployments/{deployment}/artifacts/{file['digest']}")
    assert (sent["target"], digest_bytes(answer.content)) == ("dev-1", file["digest"])
    assert answer.headers["content-type"].startswith("text/plain")


async def test_only_what_the_deployment_sent_is_given_out(office: Office, deployment: str, ana: httpx.AsyncClient):
    other = PostgresArtifacts(office.shop.db).put("shop", "another file of the project")
    answer = await ana.get(f"/api/v1/deployments/{deployment}/artifacts/{other}")
    assert (answer.status_code, answer.json()["code"]) == (404, "digest_not_found")
