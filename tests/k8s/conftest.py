"""The overlays, rendered once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path

import pytest

from checks.k8s.cluster import Cluster
from checks.k8s.rendering import MANIFESTS, OVERLAYS, read, render


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Each overlay in a file."""
    folder = tmp_path_factory.mktemp("rendered")
    for overlay in OVERLAYS:
        (folder / f"{overlay}.yaml").write_text(render(MANIFESTS / "overlays" / overlay))
    return {overlay: folder / f"{overlay}.yaml" for overlay in OVERLAYS}


@pytest.fixture(scope="session")
def clusters(rendered: Mapping[str, Path]) -> Mapping[str, Cluster]:
    """Each overlay as read; to be looked at only."""
    return {overlay: Cluster(overlay, read(file.read_text())) for overlay, file in rendered.items()}


@pytest.fixture
def production(clusters: Mapping[str, Cluster]) -> Callable[[], Cluster]:
    """Copies of production, to be spoilt."""
    return lambda: Cluster("production", deepcopy(clusters["production"].manifests))
