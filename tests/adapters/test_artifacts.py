"""Where what was sent is kept: in the database, in a folder, in a bucket; each gives back just what was kept."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fairlead.adapters.artifact_bucket import BucketArtifacts
from fairlead.adapters.artifact_folder import FolderArtifacts
from fairlead.adapters.secrets.aws import AwsAccess
from fairlead.contracts.canonical import digest_bytes
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotFound, Unavailable
from fairlead.ports import Artifacts
from fairlead.store.artifacts import PostgresArtifacts
from tests.fixtures.aws import REGION, LocalAws

CONTENT = '{"image": "web@sha256:…", "n": 1}\n'
DIGEST = digest_bytes(CONTENT.encode())

Damage = Callable[[], object]


@pytest.fixture(params=["database", "folder", "bucket"])
def artifacts(request: pytest.FixtureRequest, tmp_path: Path) -> Artifacts:
    if request.param == "database":
        return PostgresArtifacts(request.getfixturevalue("postgres").db)
    if request.param == "folder":
        return FolderArtifacts(tmp_path)
    request.getfixturevalue("aws_credentials")
    aws: LocalAws = request.getfixturevalue("local_aws")
    aws.client("s3").create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": REGION})
    return BucketArtifacts(AwsAccess(REGION, aws.endpoint), "kept", "fairlead/")


def test_what_is_kept_comes_back_under_its_digest_and_in_its_project_alone(artifacts: Artifacts) -> None:
    assert artifacts.put("shop", CONTENT) == artifacts.put("shop", CONTENT) == DIGEST
    assert artifacts.get("shop", DIGEST) == CONTENT
    for project, digest in (("bank", DIGEST), ("shop", digest_bytes(b"other"))):
        with pytest.raises(NotFound) as refusal:
            artifacts.get(project, digest)
        assert refusal.value.code == Code.DIGEST_NOT_FOUND


def test_what_was_changed_since_is_not_given_out(tmp_path: Path) -> None:
    kept = FolderArtifacts(tmp_path)
    kept.put("shop", CONTENT)
    [file] = tmp_path.glob("shop/*")
    file.write_text(CONTENT.replace("1", "2"))
    with pytest.raises(NotFound):
        kept.get("shop", DIGEST)


def test_a_place_that_is_away_is_unavailable(tmp_path: Path, aws_credentials: None) -> None:
    (tmp_path / "file").touch()
    for kept in (FolderArtifacts(tmp_path / "file"), BucketArtifacts(AwsAccess(REGION, "http://127.0.0.1:1"), "kept")):
        with pytest.raises(Unavailable) as error:
            kept.put("shop", CONTENT)
        assert error.value.code == Code.ARTIFACTS_UNAVAILABLE
