"""WSMan: envelopes in, envelopes or faults out. Shells are runspace pools."""

import base64
import threading
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Callable

from tests.doubles.winrm_double.psrp import Pool, Script

SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
NS = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "rsp": SHELL,
    "x": TRANSFER,
    "p": "http://schemas.microsoft.com/powershell",
    "f": "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault",
}
TIMED_OUT, NO_SHELL, DENIED = 2150858793, 2150858843, 5
TOO_MANY_SHELLS, TOO_MANY_COMMANDS = 2150859173, 2150859241
_WAIT = 2.0
_TO = "<a:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:To>"
_DECLARED = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NS.items())


class Fault(Exception):
    """A SOAP fault with WSMan's own number."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class WSMan:
    """One service. `fault`, when set, is asked before each action; it may raise."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.shells: dict[str, Pool] = {}
        self.fault: Callable[[str], None] = lambda action: None
        self._guard = threading.Lock()

    def answer(self, text: bytes) -> tuple[int, bytes]:
        """HTTP status and envelope."""
        request = ET.fromstring(text)  # noqa: S314 - our own client's
        action = self._text(request, "s:Header/a:Action")
        verb = action.rpartition("/")[2]
        try:
            self.fault(verb)
            status, answered, body = 200, f"{action}Response", getattr(self, f"_{verb.lower()}")(request)
        except Fault as fault:
            status, answered, body = 500, f"{NS['a']}/fault", _fault(fault)
        relates = self._text(request, "s:Header/a:MessageID")
        header = f"<a:Action>{answered}</a:Action><a:MessageID>uuid:{uuid.uuid4()}</a:MessageID><a:RelatesTo>{relates}</a:RelatesTo>{_TO}"  # noqa: TID251
        envelope = f"<s:Envelope {_DECLARED}><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
        return status, envelope.encode()

    def _create(self, request: ET.Element) -> str:
        shell = request.find("s:Body/rsp:Shell", NS)
        assert shell is not None
        pool = Pool(shell.attrib["ShellId"], self._script)
        with self._guard:
            self.shells[pool.id] = pool
        pool.open()
        uri = self._text(request, "s:Header/w:ResourceURI")
        selector = f'<w:SelectorSet><w:Selector Name="ShellId">{pool.id}</w:Selector></w:SelectorSet>'
        reference = f"<a:ReferenceParameters><w:ResourceURI>{uri}</w:ResourceURI>{selector}</a:ReferenceParameters>"
        created = f"<x:ResourceCreated><a:Address>{self._text(request, 's:Header/a:To')}</a:Address>{reference}</x:ResourceCreated>"
        known = {"ShellId": pool.id, "ResourceUri": uri, "State": "Connected"}
        said = "".join(f"<rsp:{name}>{value}</rsp:{name}>" for name, value in known.items())
        return f"{created}<rsp:Shell>{said}</rsp:Shell>"

    def _command(self, request: ET.Element) -> str:
        line = request.find("s:Body/rsp:CommandLine", NS)
        assert line is not None
        id = line.attrib["CommandId"]
        self._pool(request).begin(id, base64.b64decode(self._text(line, "rsp:Arguments")))
        return f"<rsp:CommandResponse><rsp:CommandId>{id}</rsp:CommandId></rsp:CommandResponse>"

    def _send(self, request: ET.Element) -> str:
        stream = request.find("s:Body/rsp:Send/rsp:Stream", NS)
        assert stream is not None
        self._pool(request).feed(stream.attrib["CommandId"], base64.b64decode(stream.text or ""))
        return "<rsp:SendResponse/>"

    def _receive(self, request: ET.Element) -> str:
        wanted = request.find("s:Body/rsp:Receive/rsp:DesiredStream", NS)
        assert wanted is not None
        id, pool = wanted.attrib.get("CommandId"), self._pool(request)
        output = pool.pipelines[id] if id else pool.output
        taken = output.take(_WAIT)
        if taken is None:
            raise Fault(TIMED_OUT, "The WS-Management service cannot complete the operation within the time specified")
        data, over = taken
        mark = f' CommandId="{id}"' if id else ""
        stream = f'<rsp:Stream Name="stdout"{mark}>{base64.b64encode(data).decode()}</rsp:Stream>'
        if id:
            state, code = ("Done", "<rsp:ExitCode>0</rsp:ExitCode>") if over else ("Running", "")
            stream += f'<rsp:CommandState State="{SHELL}/CommandState/{state}"{mark}>{code}</rsp:CommandState>'
        return f"<rsp:ReceiveResponse>{stream}</rsp:ReceiveResponse>"

    def _signal(self, request: ET.Element) -> str:
        signal = request.find("s:Body/rsp:Signal", NS)
        assert signal is not None
        self._pool(request).pipelines.pop(signal.attrib["CommandId"], None)
        return "<rsp:SignalResponse/>"

    def _delete(self, request: ET.Element) -> str:
        del self.shells[self._pool(request).id]
        return ""

    def _pool(self, request: ET.Element) -> Pool:
        id = self._text(request, "s:Header/w:SelectorSet/w:Selector")
        if id not in self.shells:
            raise Fault(NO_SHELL, "The request for the Windows Remote Shell with that ShellId failed: it was not found")
        return self.shells[id]

    @staticmethod
    def _text(element: ET.Element, path: str) -> str:
        return element.findtext(path, "", NS)


def _fault(fault: Fault) -> str:
    code = "<s:Code><s:Value>s:Receiver</s:Value></s:Code>"
    reason = f'<s:Reason><s:Text xml:lang="en-US">{fault.reason}</s:Text></s:Reason>'
    detail = f'<f:WSManFault Code="{fault.code}" Machine="double"><f:Message>{fault.reason}</f:Message></f:WSManFault>'
    return f"<s:Fault>{code}{reason}<s:Detail>{detail}</s:Detail></s:Fault>"
