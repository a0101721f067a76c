"""Where this installation keeps what was sent to targets, as its settings say."""

from pathlib import Path

from fairlead.adapters.artifact_bucket import BucketArtifacts
from fairlead.adapters.artifact_folder import FolderArtifacts
from fairlead.adapters.secrets.aws import AwsAccess
from fairlead.ports import Artifacts
from fairlead.store.artifacts import PostgresArtifacts
from fairlead.store.database import Database
from workers.settings import Settings

BUCKET = "s3://"


def open_artifacts(settings: Settings, db: Database) -> Artifacts:
    """The place that is set, else the database."""
    place = settings.artifacts
    if place.startswith(BUCKET):
        bucket, _, prefix = place.removeprefix(BUCKET).partition("/")
        access = AwsAccess(settings.aws_region, settings.aws_endpoint)
        return BucketArtifacts(access, bucket, f"{prefix.rstrip('/')}/" if prefix else "")
    return FolderArtifacts(Path(place).absolute()) if place else PostgresArtifacts(db)
