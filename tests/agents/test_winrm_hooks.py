"""Hooks on WinRM hosts, on the double: begun once whatever is lost on the way, ended by the next deployment, and nothing of them stays."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from fairlead.contracts.target import TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused
from fairlead.domain.fence import Claim
from tests.doubles.winrm_double import WinrmDouble
from tests.fakes.secrets import MemorySecrets
from tests.fixtures.winrm import WinrmHarness
from tests.targets.bench import Bench, eventually, nobeat, with_config
from tests.targets.harness import Tally
from tests.targets.hooking import RANDOM, hooked, printed, with_run
from tests.targets.keeping import OTHER

ENDLESS = f"while read id < {RANDOM}; do :; done"


@pytest.fixture
def double(winrm_double_harness: WinrmHarness) -> WinrmDouble:
    return winrm_double_harness.double


@pytest.fixture
def folder(winrm_bench: Bench, winrm_double_harness: WinrmHarness) -> Path:
    return winrm_double_harness.path(winrm_bench.address) / "hooks"


def commanded(bench: Bench, *command: str, env: dict[str, str] | None = None) -> TargetSpec:
    component = bench.component(bench.harness.image("1.0.0"), env)
    return bench.spec(with_run(component, hooks={"pre": [{"name": "hook", "command": list(command)}]}))


def test_a_hook_whose_beginning_nobody_has_heard_of_is_begun_once(winrm_bench: Bench, double: WinrmDouble) -> None:
    double.faults.lose = ["hook", "hook"]
    [(_, said)] = printed(winrm_bench, hooked(winrm_bench, "1.0.0", pre=f"read id < {RANDOM}; echo $id"), Claim(1, 1))
    assert double.faults.lose == []
    assert len(said.split()) == 1


def test_a_hook_of_an_earlier_deployment_is_ended_and_forgotten(
    winrm_bench: Bench, double: WinrmDouble, folder: Path
) -> None:
    winrm_bench.die(hooked(winrm_bench, "1.0.0", pre=ENDLESS), 1, at="after_hook_start")
    assert eventually(lambda: folder / "1.web.pre.hook" in double.windows.begun)
    winrm_bench.apply(winrm_bench.of("2.0.0"), 2)
    assert double.windows.begun[folder / "1.web.pre.hook"].poll() is not None
    assert list(folder.iterdir()) == []


def test_a_retired_target_has_no_hooks_left(winrm_bench: Bench, folder: Path) -> None:
    spec = hooked(winrm_bench, "1.0.0", post="true")
    winrm_bench.apply(spec, 1)
    assert len(list(folder.iterdir())) == 1
    winrm_bench.harness.executor().retire(spec, Claim(2, 1), nobeat)
    assert list(folder.iterdir()) == []


def test_a_hook_that_nobody_saw_end_is_not_begun_again(winrm_bench: Bench, folder: Path) -> None:
    spec = hooked(winrm_bench, "1.0.0", pre="true")
    winrm_bench.apply(spec, 1)
    (folder / "1.web.pre.hook/end").unlink()
    with pytest.raises(Refused) as refusal:
        winrm_bench.apply(spec, 1, attempt=2)
    assert refusal.value.code == Code.HOOK_FAILED
    assert "nobody saw how" in refusal.value.detail


@dataclass
class Overtaking:
    """Fail points of a worker that is overtaken right after its claim."""

    claims: Path

    def reach(self, name: str) -> None:
        if name == "after_claim":
            (self.claims / "2.1").touch()


def test_a_lower_claim_begins_nothing(winrm_bench: Bench, folder: Path) -> None:
    spec = hooked(winrm_bench, "1.0.0", pre="true")
    winrm_bench.harness.executor().prepare(spec, nobeat)
    overtaken = winrm_bench.harness.executor(Overtaking(folder.parent / "claims"))
    with pytest.raises(Refused) as refusal:
        overtaken.apply(spec, Claim(1, 1), nobeat)
    assert refusal.value.code == Code.FENCE_LOST
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("program", ["bin/other.exe", "../sh.exe", "C:\\drain.BAT", "C:\\drain.cmd"])
def test_a_hook_that_cannot_be_run_is_refused_before_any_change(
    winrm_bench: Bench, double: WinrmDouble, program: str
) -> None:
    for there in ("drain.BAT", "drain.cmd"):  # which Windows would have a shell read
        double.windows.drive.mkdir(exist_ok=True)
        (double.windows.drive / there).touch()
    with pytest.raises(Refused) as refusal:
        winrm_bench.harness.executor().prepare(commanded(winrm_bench, program), nobeat)
    assert refusal.value.code == Code.HOOK_FAILED
    assert winrm_bench.tally() == Tally(0, 0)


def test_an_image_of_its_own_is_refused(winrm_bench: Bench) -> None:
    spec = commanded(winrm_bench, "x")
    hook = {"name": "tell", "command": ["x"], "image": "h/x@sha256:" + "a" * 64}
    other = with_config(spec.components[0], run={"hooks": {"pre": [hook]}})
    with pytest.raises(Refused) as refusal:
        winrm_bench.harness.executor().prepare(spec.model_copy(update={"components": (other,)}), nobeat)
    assert refusal.value.code == Code.NOT_SUPPORTED_YET


def test_what_is_kept_of_a_hook_is_masked(winrm_bench: Bench) -> None:
    safe = MemorySecrets()
    spec = hooked(winrm_bench, "1.0.0", safe, pre="echo it is $TOKEN")
    sent = winrm_bench.harness.executor(secrets=safe).apply(spec, Claim(1, 1), nobeat)
    [kept] = [file.content for file in sent if file.name.endswith(".hook.log")]
    assert kept.startswith("it is ")
    assert OTHER not in kept


def test_words_and_values_arrive_as_they_are(winrm_bench: Bench) -> None:
    word, value = 'a "b"  \\c\\ d\\\\"', "a 'b' \"c\" $d `e` %f% \\ ü 漢 &|<>"
    line = 'printf "%s\\n" "$1" "$2" "$TOLD"'
    spec = commanded(winrm_bench, "bin/sh.exe", "-c", line, "x", word, "", env={"TOLD": value})
    assert printed(winrm_bench, spec, Claim(1, 1)) == [("web.pre.hook.hook.log", f"{word}\n\n{value}")]
