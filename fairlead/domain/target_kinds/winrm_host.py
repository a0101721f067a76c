"""WinRM hosts in the catalogue: Windows services on a machine that is reached over WinRM."""

import re
from collections.abc import Mapping
from typing import Any, Final

from fairlead.domain.blocks import Block
from fairlead.domain.codes import Code
from fairlead.domain.target_kinds import fields, hooks
from fairlead.domain.target_kinds.kind import TargetKind

NEGOTIATE: Final = "negotiate"
NTLM: Final = "ntlm"
KERBEROS: Final = "kerberos"
CERTIFICATE: Final = "certificate"
BASIC: Final = "basic"
KEYLESS: Final = (CERTIFICATE, BASIC)
ROOT: Final = "C:\\ProgramData\\Fairlead"
LOCAL_SERVICE: Final = "local_service"
CONNECT_TIMEOUT: Final = 10.0
SILENCE_TIMEOUT: Final = 30.0
DURATIONS: Final = ("connect_timeout", "silence_timeout")

_HOST = r"([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
_FILE = re.compile(r"/[^\x00-\x1f\x7f]*")
_FOLDER = re.compile(r"[A-Za-z]:(\\[^\x00-\x1f\x7f<>:\"/\\|?*]+)+")
_ACCOUNT = re.compile(
    r"local_service|network_service|local_system|[A-Za-z0-9][A-Za-z0-9.-]*\\[A-Za-z0-9][A-Za-z0-9._-]*\$"
)
_USER = re.compile(r"[^\x00-\x1f\x7f:]+")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")
_TEXTS: Final = {
    "user": (_USER, "a user: NAME, DOMAIN\\NAME or NAME@DOMAIN"),
    "ca": (_FILE, "the absolute path of a file"),
    "certificate": (_FILE, "the absolute path of a file"),
    "key": (_FILE, "the absolute path of a file"),
    "service": (_WORD, "a word"),
    "hostname": (_WORD, "a host's name"),
    "root": (_FOLDER, f"a folder such as {ROOT}"),
    "account": (_ACCOUNT, f"{LOCAL_SERVICE}, network_service, local_system or a managed account DOMAIN\\NAME$"),
}


def options(block: Block) -> dict[str, Any]:
    """How a host is reached, who we are there, and whom services run as."""
    found: dict[str, Any] = {"auth": block.choice("auth", NEGOTIATE, (NEGOTIATE, NTLM, KERBEROS, CERTIFICATE, BASIC))}
    found |= {name: fields.matching(block, name, pattern, meant) for name, (pattern, meant) in _TEXTS.items()}
    found["password"] = fields.reference(block, "password")
    found["encrypt"] = block.flag("encrypt", False)
    found["connect_timeout"] = fields.seconds(block, "connect_timeout", CONNECT_TIMEOUT, 1.0, 120.0)
    found["silence_timeout"] = fields.seconds(block, "silence_timeout", SILENCE_TIMEOUT, 10.0, 600.0)
    block.close()
    _require_credentials(block, found)
    usual = {"auth": NEGOTIATE, "root": ROOT, "account": LOCAL_SERVICE}
    return {name: value for name, value in found.items() if value and value != usual.get(name)}


def check(block: Block, endpoint: str, options: Mapping[str, Any]) -> None:
    """Without TLS every message is encrypted, for which a login has to make keys."""
    auth = options.get("auth", NEGOTIATE)
    if endpoint.startswith("http:") and auth in KEYLESS:
        block.flaw(Code.BAD_VALUE, f"auth: {auth} goes over https only", "endpoint")


def by_ticket(target: Mapping[str, Any]) -> bool:
    """Whether a target of the catalogue, whatever its type, is a host that one gets into by Kerberos only."""
    return bool(target["type"] == "winrm_host" and target.get(KIND.key, {}).get("auth") == KERBEROS)


def _require_credentials(block: Block, found: dict[str, Any]) -> None:
    """A Kerberos ticket may lie with the worker already; everything else has to be said."""
    ticket = ("user", "password") if found["password"] else ()
    needed = {CERTIFICATE: ("certificate", "key"), KERBEROS: ticket}.get(found["auth"], ("user", "password"))
    for name in needed:
        if not found[name]:
            block.flaw(Code.MISSING_FIELD, f"{found['auth']} needs {' and '.join(needed)}", name)
    if found["auth"] == KERBEROS and "\\" in found["user"]:
        block.flaw(Code.BAD_VALUE, "kerberos knows users as NAME@REALM, not as DOMAIN\\NAME", "user")
    if found["encrypt"] and found["auth"] in KEYLESS:
        block.flaw(Code.BAD_VALUE, f"{found['auth']} makes no keys to encrypt messages with", "encrypt")


KIND = TargetKind(
    endpoint=re.compile(rf"https?://{_HOST}(:[0-9]{{1,5}})?"),
    example="https://web-1.example.com:5986",
    key="winrm",
    options=options,
    check=check,
    objections=hooks.without_containers,
    sections=(hooks.SECTION,),
)
