"""Artifacts in an S3 bucket, or in what speaks like one (ports.Artifacts)."""

from typing import Any

from fairlead.adapters.artifact_folder import checked
from fairlead.adapters.secrets.aws import AwsAccess
from fairlead.contracts.canonical import Digest, digest_bytes
from fairlead.domain.codes import Code
from fairlead.domain.errors import Unavailable


class BucketArtifacts:
    """`<prefix><project>/<hex>`. The same bytes have the same key, so writing again changes nothing."""

    def __init__(self, access: AwsAccess, bucket: str, prefix: str = "") -> None:
        self._access, self._bucket, self._prefix = access, bucket, prefix

    def put(self, project: str, content: str) -> Digest:
        """Keep a file."""
        data = content.encode()
        digest = digest_bytes(data)
        self._ask("put_object", project, digest, Body=data, ContentType="text/plain; charset=utf-8")
        return digest

    def get(self, project: str, digest: Digest) -> str:
        """A file as it was kept. Raises NotFound (digest_not_found), also for one that was changed since."""
        answer = self._ask("get_object", project, digest)
        return checked(digest, answer["Body"].read() if answer else b"")

    def _ask(self, call: str, project: str, digest: Digest, **more: Any) -> Any:
        """The answer, None where nothing has this key. Raises Unavailable (artifacts_unavailable)."""
        from botocore import exceptions

        key = f"{self._prefix}{project}/{digest.removeprefix('sha256:')}"
        try:
            return getattr(self._access.client("s3"), call)(Bucket=self._bucket, Key=key, **more)
        except exceptions.ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in {"NoSuchKey", "404"}:
                return None
            raise Unavailable(Code.ARTIFACTS_UNAVAILABLE, f"{self._bucket}: S3 says {code}") from error
        except exceptions.BotoCoreError as error:
            raise Unavailable(Code.ARTIFACTS_UNAVAILABLE, f"{self._bucket}: S3 does not answer: {error}") from error
