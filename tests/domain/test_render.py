"""One component on one target."""

from fairlead.domain.catalogue import Layer
from fairlead.domain.catalogue_rules import read
from fairlead.domain.render import render
from tests.domain.documents import GOOD

CATALOGUE = read(GOOD).catalogue
WEB, TARGET = CATALOGUE.components["web"], CATALOGUE.targets["prod-2"]


def test_later_layers_win_and_env_merges() -> None:
    layers = [Layer(env={"GREETING": "bonjour", "A": "1"}), Layer(env={"A": "2"})]
    env = render(WEB, TARGET, layers)["env"]
    assert env == {"GREETING": "bonjour", "WORKERS": "2", "A": "2"}


def test_ports_are_replaced_for_the_component_named() -> None:
    assert render(WEB, TARGET, [TARGET.config])["ports"] == ("9080:8080",)
    assert render(WEB, TARGET, [Layer(ports={"api": ("1:2",)})])["ports"] == WEB.ports


def test_rendering_leaves_the_component_as_it_was() -> None:
    render(WEB, TARGET, [Layer(env={"GREETING": "changed"})])
    assert WEB.env["GREETING"] == "hello"
