"""`python -m checks.site build | serve`: builds the site into build/site and fails on any finding; serves it here."""

from __future__ import annotations

import argparse
import functools
import http.server
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from checks.site import judging
from checks.site.staging import SCRIPT, LeadsNowhere, stage

ROOT = Path(__file__).parents[2]
CONFIG = "docs/zensical.toml"
BUILD = ROOT / "build"
PROGRAM = Path(sys.prefix) / "site/bin/zensical"
NODE = Path(sys.prefix) / "node/node_modules"
OURS = {
    SCRIPT: NODE / "@mermaid-js/tiny/dist/mermaid.tiny.js",
    "javascripts/iframe-worker.js": NODE / "iframe-worker/shim/index.js",
    "stylesheets/site.css": Path(__file__).parent / "site.css",
}
"""What pages fetch beside the theme's own files: diagrams, search in a folder that nobody serves, our style."""
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
FINE = "No issues found"
DEADLINE = 120
PORT = 8098


def build(root: Path, into: Path) -> list[str]:
    """Builds a checkout's site into `into`/site, and says what is wrong with it."""
    missing = [str(path) for path in (PROGRAM, *OURS.values()) if not path.is_file()]
    if missing:
        return [f"missing, run `make tools`: {', '.join(missing)}"]
    try:
        staged = stage(root, into / "docs")
    except LeadsNowhere as wrong:
        return [f"leads nowhere: {wrong}"]
    for place, origin in OURS.items():
        (into / "docs" / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(origin, into / "docs" / place)
    config = into / "zensical.toml"
    shutil.copyfile(root / CONFIG, config)
    found = list(judging.unlisted(judging.nav_of(config), staged))
    shutil.rmtree(into / "site", ignore_errors=True)
    command = [str(PROGRAM), "build", "--strict", "--clean", "--config-file", config.name]
    done = subprocess.run(command, cwd=into, capture_output=True, text=True, timeout=DEADLINE, check=False)
    if done.returncode != 0 or FINE not in done.stdout + done.stderr:
        return [*found, COLOUR.sub("", done.stdout + done.stderr).strip()]
    pages = judging.read(into / "site")
    return [*found, *judging.foreign(into / "site", pages), *judging.dead(into / "site", pages)]


def serve(folder: Path, port: int) -> None:
    """Shows a built site on this machine until it is interrupted."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        print(f"http://127.0.0.1:{port}/ (Ctrl-C ends it)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return


def main(arguments: list[str] | None = None) -> int:
    """Exit code 1 if anything is wrong; each finding on a line of its own."""
    parser = argparse.ArgumentParser(prog="python -m checks.site", description=__doc__)
    parser.add_argument("what", choices=("build", "serve"))
    parser.add_argument("--port", type=int, default=PORT)
    given = parser.parse_args(arguments)
    begun = time.monotonic()
    found = build(ROOT, BUILD)
    if found:
        print("\n".join(found), file=sys.stderr)
        return 1
    pages = sum(1 for _ in (BUILD / "site").rglob("*.html"))
    print(f"build/site/index.html: {pages} pages in {time.monotonic() - begun:.1f} s")
    if given.what == "serve":
        serve(BUILD / "site", given.port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
