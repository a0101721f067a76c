"""A fail point kills its process if a file says so, once."""

import signal
import subprocess
import sys
from pathlib import Path

from fairlead.ports import NoFailPoints
from workers.fail_points import FileFailPoints, fail_points

REACH = "import sys; from pathlib import Path; from workers.fail_points import FileFailPoints; "
REACH += "FileFailPoints(Path(sys.argv[1])).reach('after_claim'); print('went on')"


def reach(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", REACH, str(folder)], capture_output=True, text=True, check=False)


def test_an_armed_one_kills_the_process_and_is_disarmed(tmp_path: Path) -> None:
    armed = tmp_path / "after_claim"
    armed.touch()
    assert reach(tmp_path).returncode == -signal.SIGKILL
    assert not armed.exists()
    assert reach(tmp_path).stdout == "went on\n"


def test_it_may_send_another_signal(tmp_path: Path) -> None:
    (tmp_path / "after_claim").write_text("SIGTERM")
    assert reach(tmp_path).returncode == -signal.SIGTERM


def test_another_ones_file_means_nothing(tmp_path: Path) -> None:
    (tmp_path / "before_seal").touch()
    assert reach(tmp_path).returncode == 0


def test_without_a_folder_nothing_is_ever_armed(tmp_path: Path) -> None:
    assert isinstance(fail_points(None), NoFailPoints)
    assert isinstance(fail_points(tmp_path), FileFailPoints)
