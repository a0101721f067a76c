"""Whether a host is the one that we know: as OpenSSH does, but an unknown one is never taken on trust."""

import shlex
from collections.abc import Iterable

import paramiko
from paramiko.hostkeys import HostKeyEntry, InvalidHostKey

from agents.ssh_host.options import Options, Peer
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused

_REVOKED = "@revoked"


class KnownHosts:
    """The keys of hosts: those in the catalogue, else those of a known_hosts file of the worker."""

    def __init__(self, options: Options) -> None:
        self._file = options.known_hosts_file
        lines = [line.strip() for line in options.host_keys or self._read()]
        revoked = [line.removeprefix(_REVOKED).strip() for line in lines if line.startswith(_REVOKED)]
        self._revoked = {entry.key for entry in _entries(revoked)}
        self._keys = paramiko.HostKeys()
        for entry in _entries(line for line in lines if line and line[0] not in "@#"):
            self._keys._entries.append(entry)  # type: ignore[attr-defined]

    def kinds(self, peer: Peer) -> list[str]:
        """The types of key that are known of a host; to be asked for first, lest it shows another one."""
        known = self._keys.lookup(peer.known_as)
        return list(known.keys()) if known else []

    def require(self, peer: Peer, shown: paramiko.PKey) -> None:
        """Raise Refused (ssh_host_key_unknown, ssh_host_key_changed)."""
        known = self._keys.lookup(peer.known_as)
        fields = {"host": peer.known_as, "fingerprint": shown.fingerprint}
        if shown in self._revoked:
            raise Refused(Code.SSH_HOST_KEY_CHANGED, f"the key of {peer.known_as} has been revoked", fields=fields)
        if known is None:
            raise Refused(
                Code.SSH_HOST_KEY_UNKNOWN,
                f"{peer.known_as} shows the key {shown.fingerprint} ({shown.get_name()}), which we do not know",
                hint=f"compare it with `ssh-keygen -lf` on the host, then: {self._adding(peer, shown)}",
                fields=fields,
            )
        if known.get(shown.get_name()) != shown:
            raise Refused(
                Code.SSH_HOST_KEY_CHANGED,
                f"{peer.known_as} shows the key {shown.fingerprint} ({shown.get_name()}), which is not the one we know",
                hint=f"if it was changed on purpose: ssh-keygen -R {shlex.quote(peer.known_as)}, then add the new one",
                fields=fields,
            )

    def _adding(self, peer: Peer, shown: paramiko.PKey) -> str:
        line = f"{peer.known_as} {shown.get_name()} {shown.get_base64()}"
        return f"echo {shlex.quote(line)} >> {shlex.quote(str(self._file))}"

    def _read(self) -> list[str]:
        try:
            return self._file.read_text(errors="replace").splitlines()
        except OSError:  # nobody is known then
            return []


def _entries(lines: Iterable[str]) -> Iterable[HostKeyEntry]:
    for line in lines:
        try:
            entry = HostKeyEntry.from_line(" ".join(line.split()))
        except (InvalidHostKey, paramiko.SSHException, ValueError, IndexError):
            continue
        if entry is not None:
            yield entry
