"""Every overlay as it would be applied: kustomize does the work, here it is found and started."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "deploy/k8s"
OVERLAYS = ("dev", "production")
TOOLS = Path(sys.prefix) / "k8s"
PINNED = TOOLS / "bin/kubectl"
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
    raise Missing("nothing renders kustomizations here: `make tools`, or install kubectl or kustomize")


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
