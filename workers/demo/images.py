"""Makes small OCI images in memory, and puts them into an image layout or a registry."""

import gzip
import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


@dataclass(frozen=True, slots=True)
class Image:
    """A manifest and the blobs that it names, by digest."""

    manifest: bytes
    blobs: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        return _digest(self.manifest)


def build(files: Mapping[str, bytes], command: list[str], settings: Mapping[str, Any] | None = None) -> Image:
    """One layer with these files, all executable; the same arguments give the same digest. `settings`: more of the image's configuration."""
    archive = _tar(files)
    layer = gzip.compress(archive, mtime=0)
    config = _json(
        {
            "architecture": ARCHITECTURE,
            "os": "linux",
            "config": {"Cmd": command, "WorkingDir": "/", **(settings or {})},
            "rootfs": {"type": "layers", "diff_ids": [_digest(archive)]},
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": _descriptor(CONFIG, config),
            "layers": [_descriptor(LAYER, layer)],
        }
    )
    return Image(manifest, {_digest(config): config, _digest(layer): layer})


def to_layout(image: Image, folder: Path, tag: str) -> None:
    """Put an image into an OCI image layout and let the tag name it, whatever it named before."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    for digest, content in {**image.blobs, image.digest: image.manifest}.items():
        (blobs / digest.removeprefix("sha256:")).write_bytes(content)
    (folder / "oci-layout").write_bytes(_json({"imageLayoutVersion": "1.0.0"}))
    index = folder / "index.json"
    known = json.loads(index.read_bytes())["manifests"] if index.exists() else []
    name = {"org.opencontainers.image.ref.name": tag}
    entry = {**_descriptor(MANIFEST, image.manifest), "annotations": name}
    manifests = [m for m in known if m.get("annotations") != name] + [entry]
    index.write_bytes(_json({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}))


def to_registry(image: Image, repository: str, tag: str) -> None:
    """Push an image to a loopback registry (OCI distribution specification, monolithic upload)."""
    host, _, name = repository.partition("/")
    with httpx.Client(base_url=f"http://{host}", timeout=20, trust_env=False) as registry:
        for digest, content in image.blobs.items():
            session = registry.post(f"/v2/{name}/blobs/uploads/").raise_for_status()
            upload = httpx.URL(session.headers["location"]).copy_merge_params({"digest": digest})
            registry.put(upload, content=content).raise_for_status()
        headers = {"content-type": MANIFEST}
        registry.put(f"/v2/{name}/manifests/{tag}", content=image.manifest, headers=headers).raise_for_status()


def _tar(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for folder in sorted({str(parent) for name in files for parent in Path(name).parents} - {"."}):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": _digest(content), "size": len(content)}


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()
