"""A script and its twin in the double of a WinRM host answer alike, when they are asked the same in the same order."""

import hashlib
import json
from pathlib import Path
from typing import Any

from tests.doubles.winrm_double import imitations
from tests.doubles.winrm_double.windows import Windows
from tests.fixtures.powershell import OWNER, TARGET, WindowsHost, archive

DATA = archive(**{"bin/a": "1"})
ORDER = {"Claim": "1.2", "Component": "web"}
ROOT = "C:\\Fairlead"
ASKED: list[tuple[str, dict[str, Any]]] = [
    ("fit", {}),
    ("claim", {"Owner": OWNER, "Claim": "1.2"}),
    ("claim", {"Owner": OWNER, "Claim": "1.1"}),
    ("claim", {"Owner": "another", "Claim": "1.3"}),
    ("look", {"Owner": OWNER, "Images": ["i"], "Ports": []}),
    ("look", {"Owner": "another"}),
    ("write", {"Name": "f", "Offset": "0", "Data": DATA}),
    ("write", {"Name": "f", "Offset": "9999", "Data": b"a gap"}),
    ("write", {"Name": "f"}),
    ("unpack", {"Name": "g", "Sha256": "0", "Image": "i", "Note": "{}"}),
    ("unpack", {"Name": "f", "Sha256": hashlib.sha256(DATA).hexdigest(), "Image": "i", "Note": "{}"}),
    ("look", {"Owner": OWNER, "Images": ["i", "j"]}),
    ("order", {**ORDER, "Operation": "1", "Do": "start", "Spec": "{}", "Account": "x", "Instead": []}),
    ("watch", {"Component": "web"}),
    ("order", {**ORDER, "Operation": "2", "Do": "confirm", "Number": "1"}),
    ("order", {**ORDER, "Operation": "3", "Do": "adopt", "Number": "2"}),
    ("look", {"Owner": OWNER, "Closely": True}),
    ("order", {**ORDER, "Operation": "4", "Do": "stop", "Number": "1"}),
    ("order", {**ORDER, "Operation": "5", "Do": "restore"}),
    ("sticker", {"Claim": "1.2", "Record": "{}"}),
    ("sticker", {"Claim": "1.1", "Record": "{}"}),
    ("look", {"Owner": OWNER}),
    ("tail", {"Owner": OWNER, "Component": "web", "Lines": 5, "Most": 100}),
    ("hook", {"Claim": "1.2", "Do": "look", "Hook": "web.pre.x"}),
    ("order", {**ORDER, "Operation": "6", "Do": "remove"}),
    ("watch", {"Component": "web"}),
]
OF_THE_MACHINE = {"windows", "powershell", "time", "free", "now", "created", "started", "pid", "text"}


def alike(said: Any) -> Any:
    """What has to be the same: all but what is this machine's, which has to be there."""
    if isinstance(said, dict):
        return {key: type(value) if key in OF_THE_MACHINE else alike(value) for key, value in said.items()}
    return said


def test_each_script_answers_as_its_twin_does(windows_host: WindowsHost, tmp_path: Path) -> None:
    twin = Windows(tmp_path / "drive")
    program = twin.path(f"{ROOT}\\a.exe")
    program.parent.mkdir(parents=True)
    program.write_text("played")
    imitations.run(twin, "claim", {"Root": ROOT, "Target": TARGET, "Owner": OWNER, "Claim": "1.1"})
    for name, values in ASKED:
        here = {"Path": '"/bin/sleep" 600', "Names": [], "Values": []} if values.get("Do") == "start" else {}
        there = {**here, "Path": f'"{ROOT}\\a.exe"'} if here else {}
        real = windows_host.call(name, **values, **here)
        said = json.loads(imitations.run(twin, name, {"Root": ROOT, "Target": TARGET, **values, **there}))
        assert alike(said.get("done", said)) == alike(real), (name, values)
