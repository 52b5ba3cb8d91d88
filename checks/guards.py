"""The repository's own rules, each a function from the root of a checkout to what breaks it there."""

import ast
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

from checks.links import documents_are_listed, links_lead_somewhere
from checks.ours import files

ROOT = Path(__file__).parent.parent

WORDS_OF_SALES = {"scout", "hunter", "farmer", "lead", "leads", "scouts", "hunters", "farmers"}
SAYS_NOTHING = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc", "shared"}
BELTS_CODES = "libs/belt/src/belt/io/http/codes.py"
METRICS = "libs/belt/src/belt/io/telemetry.py"
STATIONS = ("lead-gen", "conversion", "account-mgmt")
SAME_ROOMS = {"access", "api", "codes", "main", "migrations", "papers", "published", "reactions", "views"}
MOST_ROOMS = 13
VARIANTS_LIVE_IN = "libs/events/src/conveyor_events/words.py"
# Written in two pieces, so that this file does not find itself.
INDEX_ADDRESS = re.compile(r"https?://[^\s\"')>]*(?:/sim" + r"ple\b|/mav" + r"en2\b|/packages/[0-9a-f]{2}/)")
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def belt_knows_no_sales(root: Path) -> Iterator[str]:
    """The belt moves work of any kind: the words of sales do not occur in it."""
    for path in files(root / "libs/belt/src", "*.py", "*.sql"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = {word.lower() for word in WORD.findall(line)} & WORDS_OF_SALES
            if found:
                yield f"{path.relative_to(root)}:{number}: a word of sales in the belt: {', '.join(sorted(found))}"


def variants_have_one_table(root: Path) -> Iterator[str]:
    """No code asks for a variant by name: a fifth row in the table must be enough."""
    names = _variant_names(root / VARIANTS_LIVE_IN)
    for path in (f for folder in ("libs", "services", "apps") for f in files(root / folder, "*.py")):
        if path == root / VARIANTS_LIVE_IN or "tests" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and node.value in names:
                yield f"{path.relative_to(root)}:{node.lineno}: the variant {node.value!r} by name; ask the table"


def names_say_what_is_inside(root: Path) -> Iterator[str]:
    """No module is named for nothing in particular."""
    for path in files(root, "*.py"):
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
    members = [tomllib.loads(path.read_text()) for path in files(root, "pyproject.toml")]
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
    for path in files(root, "*"):
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if path.name != "uv.lock" and INDEX_ADDRESS.search(line):
                yield f"{path.relative_to(root)}:{number}: an address of a package index"


def refusals_have_codes(root: Path) -> Iterator[str]:
    """Every code a refusal names stands in a table, and every code in a table is named somewhere."""
    everywhere = _table(root / BELTS_CODES, "CODES")
    named: set[str] = set()
    for folder in (root / "libs/belt/src", *sorted((root / "services").glob("*/src"))):
        own = {code for path in files(folder, "codes.py") for code in _table(path, "CODES")} - everywhere
        strings: set[str] = set()
        for path in files(folder, "*.py"):
            if path.name == "codes.py":
                continue
            module = ast.parse(path.read_text())
            assigned = _assigned(module)
            for node in ast.walk(module):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    strings.add(node.value)
                yield from (
                    f"{path.relative_to(root)}:{node.lineno}: {code} is in no table of codes"  # type: ignore[attr-defined]
                    for code in _refused(node, assigned)
                    if code not in own | everywhere
                )
        yield from (
            f"{folder.relative_to(root)}: nothing is ever refused with {code}" for code in sorted(own - strings)
        )
        named |= strings
    yield from (f"{BELTS_CODES}: nothing is ever refused with {code}" for code in sorted(everywhere - named))


def metrics_are_measured(root: Path) -> Iterator[str]:
    """Every metric that is declared is set somewhere: the belt's anywhere, a service's own beside its declaration."""
    declared = root / METRICS
    names = set(re.findall(r"^([A-Z_]+) = _(?:counter|gauge|histogram)", declared.read_text(), re.MULTILINE))
    code = " ".join(
        path.read_text()
        for folder in ("libs", "services", "apps")
        for path in files(root / folder, "*.py")
        if path != declared
    )
    for name in sorted(names - set(re.findall(r"[A-Z_]{4,}", code))):
        yield f"{METRICS}: {name} is declared and never measured"
    for path in files(root / "services", "*.py"):
        text = path.read_text()
        for name in re.findall(r"^([A-Z_]+) = (?:telemetry\.)?gauge\(", text, re.MULTILINE):
            if not re.search(rf"\({name}, \(", text):
                yield f"{path.relative_to(root)}: {name} is declared and never measured"


def stations_read_in_one_sitting(root: Path) -> Iterator[str]:
    """Each station has the same rooms, and few beside them."""
    for station in STATIONS:
        package = root / "services" / station / "src" / station.replace("-", "_")
        if not package.is_dir():
            continue
        rooms = {path.stem for path in package.iterdir() if path.stem != "py" and not path.name.startswith(("_", "."))}
        for room in sorted(SAME_ROOMS - rooms):
            yield f"services/{station}: the room {room} is missing, the other stations have one"
        if len(rooms) > MOST_ROOMS:
            yield f"services/{station}: {len(rooms)} rooms, more than {MOST_ROOMS}: {', '.join(sorted(rooms))}"


GUARDS: tuple[Callable[[Path], Iterator[str]], ...] = (
    belt_knows_no_sales,
    variants_have_one_table,
    names_say_what_is_inside,
    lock_fits,
    no_index_address,
    links_lead_somewhere,
    documents_are_listed,
    refusals_have_codes,
    metrics_are_measured,
    stations_read_in_one_sitting,
)


def main() -> int:
    """Exit code 1 if anything breaks a rule; each breach on a line of its own."""
    breaches = [breach for guard in GUARDS for breach in guard(ROOT)]
    print("\n".join(breaches))
    return 1 if breaches else 0


def _variant_names(table: Path) -> set[str]:
    """The variants, but for the one-seat one, whose name is also the word for its role."""
    return {name for name in _table(table, "VARIANTS") if "-" in name}


def _table(file: Path, name: str) -> set[str]:
    """The keys of a table, read without importing the code."""
    for node in ast.parse(file.read_text()).body if file.is_file() else []:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            return {str(key.value) for key in getattr(node.value, "keys", []) if isinstance(key, ast.Constant)}
    raise LookupError(f"{file}: no table {name}")


def _refused(node: ast.AST, assigned: dict[str, list[ast.expr]]) -> Iterator[str]:
    """The codes in `Refused("code", …)`: written out, one of two, or in a variable of the module."""
    if isinstance(node, ast.Call) and "Refused" in (getattr(node.func, "id", None), getattr(node.func, "attr", None)):
        for first in [*node.args[:1], *(word.value for word in node.keywords if word.arg == "code")]:
            yield from _codes(first, assigned)


def _codes(value: ast.expr, assigned: dict[str, list[ast.expr]]) -> Iterator[str]:
    match value:
        case ast.Constant(value=str(code)):
            yield code
        case ast.IfExp(body=one, orelse=other):
            yield from (*_codes(one, assigned), *_codes(other, assigned))
        case ast.Name(id=name):
            for found in assigned.get(name, []):
                yield from _codes(found, {})
        case ast.JoinedStr() | ast.BinOp() | ast.Call(func=ast.Attribute(attr="format" | "join" | "replace")):
            yield f"a code that is put together ({ast.unparse(value)}): written out it could be found, and it"
        case _:
            return


def _assigned(module: ast.Module) -> dict[str, list[ast.expr]]:
    """What is put into each variable, anywhere in the module."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(module):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found.setdefault(name, []).append(value)
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                for variable, one in zip(names, values, strict=False):
                    found.setdefault(ast.unparse(variable), []).append(one)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                found.setdefault(name, []).append(value)
            case ast.NamedExpr(target=ast.Name(id=name), value=value):
                found.setdefault(name, []).append(value)
            case _:
                pass
    return found


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())
