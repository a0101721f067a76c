"""One component on one target."""

import pytest

from fairlead.domain.catalogue import Layer
from fairlead.domain.catalogue_rules import read
from fairlead.domain.codes import Code
from fairlead.domain.layer_rules import load_layer
from fairlead.domain.merging import origins
from fairlead.domain.render import Source, catalogue_layers, render, resolve, trace
from tests.domain.documents import GOOD, good_with

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


def test_null_deletes_and_secrets_are_references_until_a_plan_is_made() -> None:
    layers = [Layer(env={"GREETING": None}, secrets={"TOKEN": "env://TOKEN"}), Layer(secrets={"OTHER": "env://OTHER"})]
    rendered = render(WEB, TARGET, layers)
    assert rendered["env"] == {"WORKERS": "2"}
    assert rendered["secrets"] == {"TOKEN": "env://TOKEN", "OTHER": "env://OTHER"}


def test_a_layer_changes_anything_of_a_component_by_its_name() -> None:
    patch = {"command": ["./serve"], "health": {"retries": 9}, "stop_grace": "3s", "env": {"WORKERS": None}}
    web = resolve(WEB, [Layer(env={"WORKERS": "4", "A": "1"}, components={"web": patch, "api": {"command": ["no"]}})])
    assert (web.command, web.stop_grace, web.env) == (("./serve",), 3.0, {"GREETING": "hello", "A": "1"})
    assert web.health is not None
    assert (web.health.retries, web.health.port) == (9, 8080)


@pytest.mark.parametrize(
    "patch",
    [{"health": {"port": 0}}, {"ports": ["x"]}, {"env": {"A": True}}, {"secrets": {"GREETING": "env://A"}}],
)
def test_what_the_layers_leave_must_be_a_component(patch: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="/"):
        resolve(WEB, [Layer(components={"web": patch})])


def test_a_catalogue_whose_layers_leave_no_component_is_refused_naming_the_target() -> None:
    flaws = read(good_with("config", {"components": {"web": {"health": {"port": 0}}}})).flaws
    assert {(flaw.code, flaw.pointer) for flaw in flaws} == {
        (Code.BAD_VALUE, f"/targets/{name}") for name in ("dev-1", "prod-1", "prod-2")
    }


@pytest.mark.parametrize(
    ("layer", "code"),
    [
        ({"components": {"web": {"repository": "x"}}}, Code.UNKNOWN_FIELD),
        ({"components": {"web": {"depends_on": []}}}, Code.UNKNOWN_FIELD),
        ({"components": {"web": 5}}, Code.BAD_VALUE),
        ({"components": {"web": {"env": {"A": "a\0b"}}}}, Code.BAD_VALUE),
        ({"secrets": {"A": "hunter2"}}, Code.BAD_VALUE),
        ({"secrets": {"A B": "env://A"}}, Code.BAD_NAME),
        ({"volumes": {}}, Code.UNKNOWN_FIELD),
        ([], Code.BAD_VALUE),
    ],
)
def test_what_is_no_layer_is_told(layer: object, code: Code) -> None:
    assert code in [flaw.code for flaw in load_layer(layer)[1]]


def layered() -> dict[str, object]:
    """Every layer that a catalogue can have says who it is."""
    document = good_with("config", {"env": {"BY": "project", "P": "1"}})
    document["label_config"] = [
        {"labels": {"site": "fra"}, "config": {"env": {"BY": "fra"}}},
        {"labels": {"site": "ams"}, "config": {"env": {"BY": "labels", "L": "1"}}},
    ]
    document["environments"]["prod"]["config"] = {"env": {"BY": "environment", "L": "0", "T": "0"}}
    document["targets"]["prod-2"]["config"]["env"] = {"T": "1"}
    return document


def test_a_catalogues_layers_go_from_project_to_target_and_labels_select() -> None:
    reading = read(layered())
    assert reading.flaws == ()
    shop = reading.catalogue
    sourced = list(catalogue_layers(shop, shop.environments["prod"], shop.targets["prod-2"], "7", "ana"))
    assert [source.layer for source, _ in sourced] == ["project", "environment", "labels", "target"]
    frozen = Source("component", "1.0.0")
    values = dict(origins(trace(shop.components["web"], sourced, frozen)))
    env = {at.rpartition("/")[2]: (v.value, v.source.layer) for at, v in values.items() if at.startswith("/env/")}
    assert env == {
        "BY": ("labels", "labels"),
        "P": ("1", "project"),
        "L": ("1", "labels"),
        "T": ("1", "target"),
        "GREETING": ("hello", "component"),
        "WORKERS": ("2", "component"),
    }
    assert values["/env/BY"].source == Source("labels", "site=ams", "7", "ana")
    assert values["/ports"].source.layer == "target"


def test_tracing_tells_just_what_is_rendered() -> None:
    shop = read(layered()).catalogue
    sourced = list(catalogue_layers(shop, shop.environments["prod"], shop.targets["prod-2"]))
    rendered = render(shop.components["web"], shop.targets["prod-2"], [layer for _, layer in sourced])
    values = dict(origins(trace(shop.components["web"], sourced, Source("component"))))
    assert {at.removeprefix("/env/"): v.value for at, v in values.items() if at.startswith("/env/")} == rendered["env"]
    assert tuple(values["/ports"].value) == rendered["ports"]
