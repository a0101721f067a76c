"""Files as the engine takes them."""

import io
import tarfile
from collections.abc import Mapping


def archive(files: Mapping[str, str]) -> bytes:
    """Absolute path to content; everybody may read them."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as all:
        for path, text in files.items():
            content = text.encode()
            member = tarfile.TarInfo(path.lstrip("/"))
            member.size, member.mode = len(content), 0o444
            all.addfile(member, io.BytesIO(content))
    return packed.getvalue()
