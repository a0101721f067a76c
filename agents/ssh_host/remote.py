"""The worker's end of a session on a host (place.Place): orders go there, its questions are answered here."""

import contextlib
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, BinaryIO, Final, cast

import paramiko

from agents.process_host.fitness import Fitness
from agents.process_host.place import Orderer, Owner, Stage
from agents.process_host.records import Applied, Job, Seen, is_full, run_spec, seen
from agents.ssh_host.bundle import boot, bundle
from agents.ssh_host.connection import Connection
from fairlead.domain import errors
from fairlead.domain.codes import Code
from fairlead.domain.errors import FairleadError, Refused, Unavailable
from fairlead.domain.fence import Claim, FenceLost

PYTHON: Final = "python3"
OLDEST: Final = "3.9"
LOOK_EVERY: Final = 1.0
PATIENCE: Final = 300.0
"""For what nobody calls off: an end that is alive may still never come to an end."""
MAX_LINE: Final = 16 * 1024 * 1024
PIECE: Final = 64 * 1024
_NOT_FOUND: Final = 127
_KINDS: Final[Mapping[str, type[FairleadError]]] = {
    "FenceLost": FenceLost,
    **{
        name: getattr(errors, name)
        for name in ("Refused", "BadInput", "NotAllowed", "NotFound", "Conflict", "Unavailable")
    },
}


class Remote:
    """A session. Raises Unavailable (ssh_connection_lost, ssh_silent) when the other end goes; what it had begun is found there later."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._options = connection, connection.options
        program = bundle()
        words = [PYTHON, "-I", "-c", boot(), self._options.root, program.digest, str(len(program.content))]
        self._channel = connection.run(words)
        self._channel.settimeout(LOOK_EVERY)
        self._unread = bytearray()
        self._runs = False  # our program, as it has said; until then Python or sudo may be missing
        self.platform = self._begun(program.content)["platform"]

    def close(self) -> None:
        """Leave."""
        self._channel.close()

    def missing(self, job: Job) -> list[str]:
        """The digests whose trees are not there yet."""
        return list(self.order("missing", job=asdict(job)))

    @contextlib.contextmanager
    def staging(self, orderer: Orderer) -> Iterator[Stage]:
        """When the block fails nothing is said: the session ends, and what lies there goes with it."""
        self.order("stage")
        yield RemoteStage(self, orderer)

    def prepare(self, job: Job) -> None:
        """Find every command, look for taken ports."""
        self.order("prepare", job=asdict(job))

    def apply(self, job: Job, claim: Claim, orderer: Orderer) -> Applied:
        """Claim the target, then make it run the job."""
        done = self.order("apply", orderer, job=asdict(job), claim=str(claim))
        return Applied(tuple(run_spec(plan) for plan in done["plans"]), done["printed"])

    def observe(self, owner: Owner) -> Seen:
        """What really runs."""
        return seen(self.order("observe", owner=dict(owner)))

    def fitness(self) -> Fitness:
        """What the host tells of itself."""
        told: Fitness = self.order("fitness")
        return told

    def logs(self, owner: Owner, component: str, lines: int) -> str:
        """The end of what a component's present run printed."""
        return str(self.order("logs", owner=dict(owner), component=component, lines=lines))

    def retire(self, owner: Owner, claim: Claim, orderer: Orderer) -> None:
        """Stop and remove what is the target's."""
        self.order("retire", orderer, owner=dict(owner), claim=str(claim))

    def hand_over(self, owner: Owner, claim: Claim, orderer: Orderer) -> None:
        """Leave what runs as it is; from then on it is not the target's."""
        self.order("hand_over", orderer, owner=dict(owner), claim=str(claim))

    def read_sticker(self, owner: Owner) -> object:
        """The record on the target."""
        return self.order("read_sticker", owner=dict(owner))

    def write_sticker(self, owner: Owner, record: object, claim: Claim) -> None:
        """Leave the record."""
        self.order("write_sticker", owner=dict(owner), record=record, claim=str(claim))

    # talking

    def order(self, do: str, orderer: Orderer | None = None, content: BinaryIO | None = None, **more: Any) -> Any:
        """Give an order, with what belongs to it; answer questions until it is done."""
        self._send(_line({"do": do, **more}))
        while content and (piece := content.read(PIECE)):
            if orderer is not None:
                orderer.beat()
            self._send(piece)
        return self._done(orderer)

    def _done(self, orderer: Orderer | None) -> Any:
        until = time.monotonic() + PATIENCE
        while orderer is not None or time.monotonic() < until:
            line = self._line(orderer)
            if "done" in line:
                return line["done"]
            if "error" in line:
                raise _error(line["error"])
            if "ask" in line and orderer is not None:
                said = _answer(orderer, line["ask"], line["about"])
                self._send(_line({"said": said}))
        raise self._late()

    def _send(self, data: bytes) -> None:
        until = time.monotonic() + self._options.silence_timeout
        sent = 0
        while sent < len(data):
            try:
                sent += self._channel.send(data[sent : sent + PIECE])
                until = time.monotonic() + self._options.silence_timeout
            except TimeoutError:
                if time.monotonic() > until:
                    raise self._connection.silent() from None
            except (OSError, EOFError, paramiko.SSHException) as error:
                raise self._connection.lost() from error

    def _line(self, orderer: Orderer | None = None) -> dict[str, Any]:
        """The next line. A sign of life now and then is asked for, be there something to say or not."""
        until = time.monotonic() + self._options.silence_timeout
        while b"\n" not in self._unread:
            try:
                piece = self._channel.recv(PIECE)
            except TimeoutError:
                if time.monotonic() > until:
                    raise self._connection.silent() from None
                if orderer is not None:
                    orderer.beat()
                continue
            if not piece or len(self._unread) > MAX_LINE:
                raise self._ended()
            self._unread += piece
        line, _, rest = bytes(self._unread).partition(b"\n")
        self._unread = bytearray(rest)
        with contextlib.suppress(ValueError):
            value = json.loads(line)
            if isinstance(value, dict):
                return value
        return {}  # what a login shell has to say comes first, and is none of ours

    def _begun(self, program: bytes) -> dict[str, Any]:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            line = self._line()
            self._runs = self._runs or not line.keys().isdisjoint({"wanted", "hello"})
            if "wanted" in line:
                self._send(program)
            elif "hello" in line:
                return line
            elif "old" in line:
                raise self._python(f"has Python {line['old']}")
            elif "unsafe" in line:
                raise Refused(
                    Code.FOLDER_UNSAFE, f"on {self._connection.peer} others may write to the folder that our program lies in",
                    hint="`root` of the target's `ssh:` block: a folder of that user's own, mode 755",
                )  # fmt: skip
            elif "failed" in line:
                code = Code.TARGET_FULL if is_full(OSError(line["failed"], "")) else Code.TARGET_UNREACHABLE
                raise Unavailable(code, f"{self._connection.peer} cannot keep our program (error {line['failed']})")
        raise self._late()

    def _late(self) -> Unavailable:
        detail = f"{self._connection.peer} is there, and has done nothing of what was asked for {PATIENCE:g} s"
        return Unavailable(Code.SSH_SILENT, detail)

    def _ended(self) -> FairleadError:
        """Why the other end closed, as far as it can be told without reading prose."""
        if not self._connection.alive:
            return self._connection.lost()
        self._channel.status_event.wait(LOOK_EVERY)  # it comes after the end of what was printed
        status = self._channel.exit_status
        if not self._runs and self._options.sudo and status > 0:
            return self._sudo() or self._python("has no python3 that root may run")
        if not self._runs and status == _NOT_FOUND:
            return self._python("has no python3")
        said = (
            self._channel.recv_stderr(PIECE).decode(errors="replace").strip()
            if self._channel.recv_stderr_ready()
            else ""
        )
        detail = f"our program on {self._connection.peer} ended with {status}: {said[-2000:]}"
        return Unavailable(Code.SSH_CONNECTION_LOST, detail)

    def _sudo(self) -> Refused | None:
        status, _ = self._connection.ask(["true"], sudo=True)
        if status == 0:
            return None
        return Refused(
            Code.SUDO_REFUSED,
            f"{self._connection.peer} may not become root without a password",
            hint="NOPASSWD in its sudoers, or leave out `sudo: true`",
        )

    def _python(self, what: str) -> Refused:
        return Refused(
            Code.PYTHON_MISSING,
            f"{self._connection.peer} {what}; Python {OLDEST} or newer is needed",
            hint="install it, or use `runtime: docker`",
        )


class RemoteStage:
    """place.Stage at the other end."""

    def __init__(self, remote: Remote, orderer: Orderer) -> None:
        self._remote, self._orderer = remote, orderer

    def layer(self, digest: str, media_type: str, fill: Callable[[BinaryIO], None]) -> None:
        """All of it is verified here before the first byte goes there."""
        try:
            with tempfile.TemporaryFile() as file:
                fill(cast(BinaryIO, file))
                size = file.tell()
                file.seek(0)
                order = {"digest": digest, "media_type": media_type, "size": size}
                self._remote.order("layer", self._orderer, file, **order)
        except OSError as error:  # this machine's disk; what the line has to say is no OSError any more
            raise Unavailable(Code.TARGET_UNREACHABLE, f"a layer cannot be kept by the worker: {error}") from error

    def publish(self, commands: Mapping[str, Sequence[str]]) -> None:
        """All is there."""
        self._remote.order(
            "publish", self._orderer, commands={digest: list(words) for digest, words in commands.items()}
        )


def _line(value: object) -> bytes:
    return json.dumps(value).encode() + b"\n"


def _answer(orderer: Orderer, what: str, about: str) -> Any:
    match what:
        case "reach":
            return orderer.reach(about)
        case "secrets":
            return dict(orderer.secrets(about))
        case "mask":
            return orderer.mask_output(about)
    return orderer.beat()


def _error(told: Mapping[str, Any]) -> FairleadError:
    """As it was raised there; a kind that we do not know is an older or newer program's, so it may pass."""
    kind = _KINDS.get(told["kind"], Unavailable)
    return kind(Code(told["code"]), told["detail"], hint=told.get("hint"), fields=told.get("fields") or {})
