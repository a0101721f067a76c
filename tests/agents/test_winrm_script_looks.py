"""Our scripts that only look, run by a real PowerShell: what serves, what it wrote, who listens (tests/doubles/windows_double)."""

import http.server
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.powershell import OWNER, TARGET, WindowsHost
from tests.targets.harness import free_port

SLEEPS = '"/bin/sleep" 600'


class _Answers(http.server.BaseHTTPRequestHandler):
    """By its path: a status, another place, or nothing at all."""

    def do_GET(self) -> None:
        if self.path == "/silence":
            self.server.silence.wait(60)  # type: ignore[attr-defined]
        self.send_response(int(self.path[1:4]) if self.path[1:4].isdigit() else 200)
        self.send_header("Location", "/500")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Not a word."""


@pytest.fixture
def served() -> Iterator[int]:
    """The port of a server on this machine."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as server:
        server.silence = threading.Event()  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.silence.set()  # type: ignore[attr-defined]
        server.shutdown()


def watch(host: WindowsHost, port: int, path: str = "", **more: Any) -> dict[str, Any]:
    said: dict[str, Any] = host.call("watch", Component="web", Port=port, Path=path, **{"Timeout": 20000, **more})
    return said


@pytest.mark.parametrize(("path", "status"), [("/200", 200), ("/302", 302), ("/404", 404), ("/503?a=b", 503)])
def test_an_answer_over_http_is_its_status(windows_host: WindowsHost, served: int, path: str, status: int) -> None:
    assert watch(windows_host, served, path)["answer"] == {"status": status}


def test_whoever_says_nothing_has_failed(windows_host: WindowsHost, served: int) -> None:
    assert set(watch(windows_host, served, "/silence", Timeout=200)["answer"]) == {"failed"}


@pytest.mark.parametrize("path", ["", "/200"])
def test_where_nobody_listens_it_has_failed(windows_host: WindowsHost, path: str) -> None:
    said = watch(windows_host, free_port(), path)
    assert set(said["answer"]) == {"failed"}
    assert said["served"] is False


def test_a_connection_is_enough_where_no_path_is_named(windows_host: WindowsHost) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listens:
        assert watch(windows_host, listens.getsockname()[1])["answer"] == {"connected": True}


@pytest.mark.parametrize(
    ("whose", "served"), [("itself", True), ("its child", True), ("the system", True), ("another", False)]
)
def test_a_port_is_its_own_or_anothers(windows_host: WindowsHost, whose: str, served: bool) -> None:
    pid = windows_host.start('"/bin/sh" -c "sleep 600 & echo $!; wait"')["slots"]["web"]["run"]["pid"]
    child = windows_host.ask(f"$World.Services['fairlead.{TARGET}.web.1'].Process.StandardOutput.ReadLine()")
    owner = {"itself": pid, "its child": child, "the system": 4, "another": os.getpid()}[whose]
    windows_host.ask(f"$World.Listeners[1] = @({owner})")
    assert watch(windows_host, 1)["served"] is served


def test_a_port_is_taken_by_strangers_only(windows_host: WindowsHost) -> None:
    pid = windows_host.start(SLEEPS)["slots"]["web"]["run"]["pid"]
    windows_host.ask(f"$World.Listeners[1] = @({pid}); $World.Listeners[2] = @({pid}, {os.getpid()})")
    assert windows_host.call("look", Owner=OWNER, Ports=[1, 2, 3])["taken"] == [2]


def test_a_service_that_somebody_deleted_is_missing(windows_host: WindowsHost) -> None:
    windows_host.start(SLEEPS)
    windows_host.ask("foreach ($one in $World.Services.Values) { $one.Process.Kill() }; $World.Services.Clear()")
    run = windows_host.call("watch", Component="web")["slots"]["web"]["run"]
    assert (run["state"], run["pid"]) == ("Missing", 0)
    assert windows_host.order("confirm", Number="1")["slots"]["web"]["run"]["state"] == "Missing"
    assert windows_host.order("stop", Number="1")["slots"]["web"]["run"] is None
    assert windows_host.order("remove")["slots"] == {}


def test_ends_of_a_service_are_counted_by_its_own_events(windows_host: WindowsHost) -> None:
    windows_host.start(SLEEPS)
    windows_host.ask(f"$World.Crashes = @('Fairlead {TARGET} web (1)', 'Fairlead {TARGET} web (1)', 'Spooler')")
    assert windows_host.call("look", Owner=OWNER, Closely=True)["slots"]["web"]["run"]["exits"] == 2
    assert windows_host.call("look", Owner=OWNER, Closely=False)["slots"]["web"]["run"]["exits"] == 0


def test_the_record_of_the_highest_claim_is_the_one_that_counts(windows_host: WindowsHost) -> None:
    for claim in ("1.9", "1.10"):
        windows_host.call("claim", Owner=OWNER, Claim=claim)
        windows_host.call("sticker", Claim=claim, Record=claim)
    said = windows_host.call("look", Owner=OWNER)
    assert (said["sticker"], sorted(said["claims"])) == ("1.10", ["1.1", "1.10", "1.9"])
    assert [path.name for path in (windows_host.folder / "stickers").iterdir()] == ["1.10"]


def logs(host: WindowsHost) -> Path:
    host.start(SLEEPS)
    return host.folder / "components/web/runs/1/logs"


def tail(host: WindowsHost, lines: int, most: int) -> str:
    return str(host.call("tail", Owner=OWNER, Component="web", Lines=lines, Most=most)["text"])


def test_the_last_lines_are_read_from_what_was_written_last(windows_host: WindowsHost) -> None:
    folder = logs(windows_host)
    (folder / "deep").mkdir()
    (folder / "deep" / "new.log").write_bytes("ü1\r\n漢2\r\n🙂3\r\n".encode())
    (folder / "old.log").write_text("old")
    os.utime(folder / "old.log", (1, 1))
    assert tail(windows_host, 2, 1000) == "漢2\n🙂3"


@pytest.mark.parametrize(("most", "text"), [(17, "first\nse cond\nend"), (16, "se cond\nend"), (5, "end"), (2, "")])
def test_a_line_that_was_cut_is_not_shown(windows_host: WindowsHost, most: int, text: str) -> None:
    (logs(windows_host) / "a.log").write_text("first\nse cond\nend")
    assert tail(windows_host, 9, most) == text


def test_who_wrote_nothing_has_no_last_words(windows_host: WindowsHost) -> None:
    assert tail(windows_host, 9, 100) == ""
    (logs(windows_host) / "a.log").touch()
    assert tail(windows_host, 9, 100) == ""
