"""`python -m checks.k8s`: renders every overlay of deploy/k8s and says what is wrong with it."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from checks.k8s.cluster import Cluster
from checks.k8s.judging import breaches, checkov_says, kubernetes_says
from checks.k8s.rendering import MANIFESTS, OVERLAYS, Missing, Unrenderable, read, render


def main() -> int:
    """Exit code 1 if anything is wrong; each finding on a line of its own."""
    begun = time.monotonic()
    found: list[str] = []
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as pool:
        files = []
        for overlay in OVERLAYS:
            try:
                text = render(MANIFESTS / "overlays" / overlay)
            except (Missing, Unrenderable) as wrong:
                print(f"{overlay}: {wrong}", file=sys.stderr)
                return 1
            files.append(Path(folder) / f"{overlay}.yaml")
            files[-1].write_text(text)
        security = pool.submit(checkov_says, *files)
        for overlay, file in zip(OVERLAYS, files, strict=True):
            manifests = read(file.read_text())
            findings = breaches(Cluster(overlay, manifests)) + kubernetes_says(file)
            found += [f"{overlay}: {each}" for each in findings]
            print(f"{overlay}: {len(manifests)} manifests, {len(findings)} findings")
        found += security.result()
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    print(f"{'FAILED' if found else 'ok'}: {len(found)} findings in {time.monotonic() - begun:.1f} s")
    return 1 if found else 0


if __name__ == "__main__":
    argparse.ArgumentParser(prog="python -m checks.k8s", description=__doc__).parse_args()  # refuses all but --help
    sys.exit(main())
