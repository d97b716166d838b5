"""The manifests are ones that Kubernetes takes, and say what the sidecar understands."""

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from sidecar.config import SETTINGS, load

ROOT = Path(__file__).parents[1] / "deploy" / "kubernetes"
BASE = ROOT / "base"
OWN = ("kustomization.yaml", "service-monitor.yaml")
"""Kinds that are not Kubernetes' own."""
MANIFESTS = sorted(p for p in ROOT.rglob("*.yaml") if p.name not in OWN)
VERSION = "1.31"


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def sidecar() -> Any:
    [container] = read(BASE / "sidecar.yaml")["spec"]["template"]["spec"]["initContainers"]
    return container


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_kubernetes_takes_it(path: Path) -> None:
    document = read(path)
    if path.name == "sidecar.yaml":  # a patch: what the application brings is not in it
        document["spec"]["selector"] = {"matchLabels": {"app": "x"}}
        document["spec"]["template"]["spec"]["containers"] = [{"name": "x", "image": "x"}]

    kubernetes_validate.validate(document, VERSION, strict=True)


def test_a_mistake_would_be_found() -> None:
    document = read(BASE / "control-service.yaml")
    document["spec"]["ports"][0]["port"] = "fifty"
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document, VERSION, strict=True)


def test_every_file_is_taken_up() -> None:
    component = read(BASE / "kustomization.yaml")
    named = {*component["resources"], *(patch["path"] for patch in component["patches"])}
    assert named == {path.name for path in BASE.iterdir()} - {"kustomization.yaml"}
    example = read(ROOT / "example" / "kustomization.yaml")
    assert [(ROOT / "example" / name).resolve() for name in example["components"]] == [BASE]
    [label] = [patch["target"]["labelSelector"] for patch in component["patches"]]
    name, _, value = label.partition("=")
    assert read(ROOT / "example" / "application.yaml")["metadata"]["labels"][name] == value


def test_settings_are_the_sidecars() -> None:
    known = {variable: setting for setting in SETTINGS for variable in setting.variables}
    data = read(BASE / "settings.yaml")["data"]
    variables = {each["name"]: each for each in sidecar()["env"]}
    assert known.keys() >= {*data, *variables}
    assert not [name for name in data if known[name].confidential]
    for name, variable in variables.items():
        assert known[name].confidential
        assert "secretKeyRef" in variable["valueFrom"], name
    settings, ignored = load(data | {"GATEWAY_USER_POOL_SECRET_KEY": "QUFB" * 11 + "QUE="})
    assert ignored == []
    ports = {port["name"]: port["containerPort"] for port in sidecar()["ports"]}
    assert ports == {
        "kafka": settings.port_start,
        "control": settings.grpc_port,
        "http": settings.http_port,
    }
    assert sidecar()["startupProbe"]["grpc"]["port"] == settings.grpc_port


def test_it_is_a_native_sidecar_that_may_do_nothing() -> None:
    container = sidecar()
    assert container["restartPolicy"] == "Always"
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
