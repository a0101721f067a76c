"""The server's half of PSRP: a runspace pool, and pipelines of one script each. What comes in is read here; pypsrp writes what goes out."""

import base64
import re
import struct
import threading
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from typing import Any

from pypsrp.complex_objects import PSInvocationState, RunspacePoolState
from pypsrp.messages import (
    ApplicationPrivateData,
    Destination,
    MessageType,
    PipelineState,
    RunspacePoolStateMessage,
    SessionCapability,
)
from pypsrp.powershell import Fragment
from pypsrp.serializer import Serializer

FRAGMENT = 32768
NAME = re.compile(r"# fairlead:([a-z]+) v1\n")

Script = Callable[[str, Mapping[str, Any]], str]
"""Does what the script of a name does. Raises what it would."""


def read_pipeline(message: bytes) -> tuple[str, dict[str, Any]]:
    """The script of a CREATE_PIPELINE message, and its parameters."""
    [kind] = struct.unpack("<I", message[4:8])
    assert kind == MessageType.CREATE_PIPELINE, kind
    command = ET.fromstring(message[40:]).find(".//*[@N='Cmds']/LST/Obj/MS")  # noqa: S314 - our own client's
    assert command is not None
    arguments = command.findall("*[@N='Args']/LST/Obj/MS")
    pairs = [(argument.find("*[@N='N']"), argument.find("*[@N='V']")) for argument in arguments]
    return str(read_value(command.find("*[@N='Cmd']"))), {str(read_value(n)): read_value(v) for n, v in pairs}


def read_value(element: ET.Element | None) -> Any:
    """A value of those types that our parameters have."""
    assert element is not None
    text = element.text or ""
    match element.tag:
        case "S":
            units = re.sub("_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text)
            return units.encode("utf-16", "surrogatepass").decode("utf-16")
        case "I32" | "I64":
            return int(text)
        case "Sg" | "Db":
            return float(text)
        case "B":
            return text == "true"
        case "BA":
            return base64.b64decode(text)
        case "Nil":
            return None
    assert element.tag == "Obj", element.tag
    return [read_value(item) for item in element.findall("LST/*")]


def failed(words: str) -> ET.Element:
    """The state of a pipeline that ended by an error. The client's library writes none: it only reads them."""
    state = ET.fromstring(_FAILED)  # noqa: S314 - our own
    for said in state.iter("ToString"):
        said.text = words
    return state


_FAILED = f"""<Obj RefId="0"><MS><I32 N="PipelineState">{PSInvocationState.FAILED}</I32>
<Obj N="ExceptionAsErrorRecord" RefId="1"><TN RefId="0"><T>System.Management.Automation.ErrorRecord</T><T>System.Object</T></TN><ToString/><MS>
<Obj N="Exception" RefId="2"><TN RefId="1"><T>System.Management.Automation.RuntimeException</T><T>System.Object</T></TN><ToString/></Obj>
<Nil N="TargetObject"/><S N="FullyQualifiedErrorId">double</S><I32 N="ErrorCategory_Category">0</I32><B N="SerializeExtendedInfo">false</B></MS>
</Obj></MS></Obj>""".replace("\n", "")


class Output:
    """What is to be received, of a pool or a pipeline. `over` when nothing more will come."""

    def __init__(self, over: bool = False) -> None:
        self.pieces: list[bytes] = []
        self.over = over
        self.changed = threading.Condition()

    def put(self, data: bytes, over: bool = False) -> None:
        with self.changed:
            self.pieces.append(data)
            self.over = self.over or over
            self.changed.notify_all()

    def take(self, timeout: float) -> tuple[bytes, bool] | None:
        """The next piece, and whether that was all; None when nothing came in time."""
        with self.changed:
            if not self.changed.wait_for(lambda: self.pieces, timeout):
                return None
            return self.pieces.pop(0), self.over and not self.pieces


class Pool:
    """One runspace pool, open as soon as it is made."""

    def __init__(self, id: str, script: Script) -> None:
        self.id, self._script = id, script
        self._serializer, self._counter = Serializer(), 0
        self._incoming: dict[str, bytes] = {}
        self._guard = threading.Lock()
        self.output = Output()
        self.pipelines: dict[str, Output] = {}

    def open(self) -> None:
        """Say who we are, and that it is open: two answers, as Windows gives them."""
        self.output.put(self._packed(SessionCapability("2.3", "2.0", "1.1.0.1"), None))
        opened = ApplicationPrivateData({}), RunspacePoolStateMessage(RunspacePoolState.OPENED)
        self.output.put(b"".join(self._packed(message, None) for message in opened))

    def begin(self, pipeline: str, fragment: bytes) -> None:
        """The first piece of a pipeline."""
        self.pipelines[pipeline] = Output()
        self._incoming[pipeline] = b""
        self.feed(pipeline, fragment)

    def feed(self, pipeline: str, fragment: bytes) -> None:
        """More of it; it runs when all is there."""
        while fragment:
            piece, fragment = Fragment.unpack(fragment)
            self._incoming[pipeline] += piece.data
            if piece.end:
                text, given = read_pipeline(self._incoming.pop(pipeline))
                threading.Thread(target=self._run, args=(pipeline, text, given), daemon=True).start()

    def _run(self, pipeline: str, text: str, given: Mapping[str, Any]) -> None:
        output = self.pipelines[pipeline]
        try:
            named = NAME.match(text)
            if named is None:
                raise LookupError("The term is not recognized as the name of a cmdlet")
            said = self._script(named[1], given)
        except Exception as error:
            output.put(self._packed(failed(str(error)), pipeline, MessageType.PIPELINE_STATE), over=True)
            return
        done = self._packed(PipelineState(PSInvocationState.COMPLETED), pipeline)
        output.put(self._packed(said, pipeline, MessageType.PIPELINE_OUTPUT) + done, over=True)

    def _packed(self, data: Any, pipeline: str | None, kind: int | None = None) -> bytes:
        with self._guard:
            body = self._serializer.serialize(data)
            assert body is not None
            head = struct.pack("<II", Destination.CLIENT, kind or data.MESSAGE_TYPE)
            ids = uuid.UUID(self.id).bytes_le + uuid.UUID(pipeline or str(uuid.UUID(int=0))).bytes_le
            content = head + ids + ET.tostring(body, encoding="utf-8")
            self._counter += 1
            starts = range(0, len(content), FRAGMENT)
            return b"".join(
                Fragment(self._counter, i, content[at : at + FRAGMENT], i == 0, at + FRAGMENT >= len(content)).pack()
                for i, at in enumerate(starts)
            )
