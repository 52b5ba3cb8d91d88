"""The repository's own rules, each a function from the root of a checkout to what breaks it there."""

import ast
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parent.parent
NOT_OURS = {"node_modules", "__pycache__", "build", "dist"}
HIDDEN_BUT_OURS = {".ci", ".importlinter", ".gitignore"}

WORDS_OF_SALES = {"scout", "hunter", "farmer", "lead", "leads", "scouts", "hunters", "farmers"}
SAYS_NOTHING = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc", "shared"}
VARIANTS_LIVE_IN = "libs/events/src/conveyor_events/words.py"
# Written in two pieces, so that this file does not find itself.
INDEX_ADDRESS = re.compile(r"https?://[^\s\"')>]*(?:/sim" + r"ple\b|/mav" + r"en2\b|/packages/[0-9a-f]{2}/)")
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")


def belt_knows_no_sales(root: Path) -> Iterator[str]:
    """The belt moves work of any kind: the words of sales do not occur in it."""
    for path in _files(root / "libs/belt/src", "*.py", "*.sql"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = {word.lower() for word in WORD.findall(line)} & WORDS_OF_SALES
            if found:
                yield f"{path.relative_to(root)}:{number}: a word of sales in the belt: {', '.join(sorted(found))}"


def variants_have_one_table(root: Path) -> Iterator[str]:
    """No code asks for a variant by name: a fifth row in the table must be enough."""
    names = _variant_names(root / VARIANTS_LIVE_IN)
    for path in (*_files(root / "libs", "*.py"), *_files(root / "services", "*.py")):
        if path == root / VARIANTS_LIVE_IN or "tests" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and node.value in names:
                yield f"{path.relative_to(root)}:{node.lineno}: the variant {node.value!r} by name; ask the table"


def names_say_what_is_inside(root: Path) -> Iterator[str]:
    """No module is named for nothing in particular."""
    for path in _files(root, "*.py"):
        if {path.stem, path.parent.name} & SAYS_NOTHING:
            yield f"{path.relative_to(root)}: name it for what is in it"


def lock_fits(root: Path) -> Iterator[str]:
    """requirements.lock fulfils every member's dependencies, carries hashes and no address (else: make lock)."""
    text = (root / "requirements.lock").read_text()
    if "--index-url" in text or "://" in text:
        yield "requirements.lock: an address of a package index"
    entries = re.split(r"\n(?=\S)", text)
    if any("==" in entry.partition("\n")[0] and "--hash=sha256:" not in entry for entry in entries):
        yield "requirements.lock: an entry without a hash"
    locked = {
        _canonical(found[1]): Version(found[2])
        for entry in entries
        if (found := re.match(r"([\w.-]+)==([\w.]+)", entry))
    }
    members = [tomllib.loads(path.read_text()) for path in _files(root, "pyproject.toml")]
    ours = {_canonical(member["project"]["name"]) for member in members}
    for member in members:
        project = member["project"]
        groups = [entry for group in member.get("dependency-groups", {}).values() for entry in group]
        for wish in map(Requirement, [*project.get("dependencies", []), *groups]):
            version = locked.get(_canonical(wish.name))
            if _canonical(wish.name) not in ours and (version is None or version not in wish.specifier):
                yield f"requirements.lock: {project['name']} asks for {wish}, locked is {version}; run make lock"


def no_index_address(root: Path) -> Iterator[str]:
    """Where packages come from is each machine's own matter."""
    for path in _files(root, "*"):
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if path.name != "uv.lock" and INDEX_ADDRESS.search(line):
                yield f"{path.relative_to(root)}:{number}: an address of a package index"


def links_lead_somewhere(root: Path) -> Iterator[str]:
    """Every relative link in the documents points to a file, and to a heading that is there."""
    for path in _files(root, "*.md"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            for link in LINK.findall(line):
                if "://" in link or link.startswith("mailto:"):
                    continue
                place, _, heading = link.partition("#")
                target = (path.parent / place).resolve() if place else path
                if not target.exists():
                    yield f"{path.relative_to(root)}:{number}: {link} leads nowhere"
                elif heading and target.suffix == ".md" and heading not in _headings(target):
                    yield f"{path.relative_to(root)}:{number}: {link}: no such heading"


GUARDS: tuple[Callable[[Path], Iterator[str]], ...] = (
    belt_knows_no_sales,
    variants_have_one_table,
    names_say_what_is_inside,
    lock_fits,
    no_index_address,
    links_lead_somewhere,
)


def main() -> int:
    """Exit code 1 if anything breaks a rule; each breach on a line of its own."""
    breaches = [breach for guard in GUARDS for breach in guard(ROOT)]
    print("\n".join(breaches))
    return 1 if breaches else 0


def _files(folder: Path, *patterns: str) -> Iterator[Path]:
    """The files below a folder that are ours: no environment, no cache, nothing generated."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.name in NOT_OURS or (path.name.startswith(".") and path.name not in HIDDEN_BUT_OURS):
            continue
        if path.is_dir():
            yield from _files(path, *patterns)
        elif any(path.match(pattern) for pattern in patterns):
            yield path


def _variant_names(table: Path) -> set[object]:
    """The keys of VARIANTS, read without importing the code."""
    for node in ast.parse(table.read_text()).body:
        target = node.target if isinstance(node, ast.AnnAssign) else None
        if isinstance(target, ast.Name) and target.id == "VARIANTS" and isinstance(node, ast.AnnAssign):
            names = {key.value for key in getattr(node.value, "keys", []) if isinstance(key, ast.Constant)}
            return {name for name in names if "-" in str(name)}  # the one-seat variant is also the word for its role
    raise LookupError(f"{table}: no table VARIANTS")


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _headings(document: Path) -> set[str]:
    """The anchors of a document's headings, as the usual renderers make them."""
    titles = re.findall(r"^#+ +(.+?)\s*$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


if __name__ == "__main__":
    sys.exit(main())
