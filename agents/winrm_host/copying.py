"""Brings one file to a host, in pieces, so that it may be interrupted anywhere and goes on where it was; whole only by its digest."""

import json
from collections.abc import Sequence
from typing import BinaryIO, Final

from agents.winrm_host.packing import Packed
from agents.winrm_host.remote import Remote
from fairlead.domain.codes import Code
from fairlead.domain.errors import Unavailable
from fairlead.ports import Beat

PIECE: Final = 256 * 1024
_TRIES: Final = 2


def bring(
    remote: Remote, target: str, image: str, command: Sequence[str], file: BinaryIO, packed: Packed, beat: Beat
) -> None:
    """Have an image unpacked in its place. What arrived as something else is sent once more. Raises Unavailable (winrm_copy_damaged)."""
    # Named by its content too: another zip library packs the same tree into other bytes.
    name = f"{image}.{packed.sha256[:16]}.zip"
    note = json.dumps({"command": list(command)})
    for _ in range(_TRIES):
        _write(remote, target, name, file, packed.size, beat)
        told = {"Name": name, "Sha256": packed.sha256, "Image": image, "Note": note}
        if remote.call("unpack", target, beat, packed.size / PIECE, **told)["matches"]:
            return
    raise Unavailable(Code.WINRM_COPY_DAMAGED, f"{name} arrives on the host as something else")


def _write(remote: Remote, target: str, name: str, file: BinaryIO, size: int, beat: Beat) -> None:
    there = int(remote.call("write", target, beat, Name=name)["length"])
    while there < size:
        file.seek(there)
        piece = file.read(PIECE)
        # As text: the library sends every whole number as one of 32 bits.
        there = int(remote.call("write", target, beat, Name=name, Offset=str(there), Data=piece)["length"])
