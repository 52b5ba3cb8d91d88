"""docs/access.md: who may do what with Kafka and with the databases, from the two tables that grant it."""

from __future__ import annotations

from collections.abc import Iterable

from belt.io.store.grants import STORE, Rights
from checks.access.__main__ import PLACE, table
from checks.access.kafka import Rule
from checks.docs.apps import deployed
from checks.docs.tables import link

HEAD = f"""\
# Who may do what with Kafka and the databases

Two tables, and everything that grants a right is made from them; what is not here is not allowed. What stands behind
them is told in [security](security.md).

## Kafka

From [the table](../checks/access/kafka.py): the catalog of topics, and what each service says it listens to.
The users of Strimzi in {link(PLACE)} are made from it.
Nobody may make or change a topic while the line runs.

| user | writes | reads | in groups |
|---|---|---|---|
"""
DATABASES = """
`partner` stands for any outside reader: each gets a user and a group prefix of its own.

## Databases

From [the table](../libs/belt/src/belt/io/store/grants.py); `python -m SERVICE migrate` gives the rights. Each service
has a database of its own, and in it an owner (who migrates) and these roles.

"""
COLUMNS = "| table | service | relay | reader |\n|---|---|---|---|\n"


def page() -> str:
    """A table for Kafka, one for what all databases share, one for each service."""
    rules = table()
    users = [
        _user(name, [rule for rule in rules if rule.user == name]) for name in dict.fromkeys(r.user for r in rules)
    ]
    chapters = [f"Every service:\n\n{COLUMNS}{_rows(STORE)}"]
    for service in deployed():
        own = {name: line for name, line in service.rights().items() if name not in STORE}
        chapters.append(f"{service.name}:\n\n{COLUMNS}{_rows(own)}")
    return HEAD + "\n".join(users) + "\n" + DATABASES + "\n".join(chapters)


def _user(name: str, rules: Iterable[Rule]) -> str:
    writes: list[str] = []
    reads: list[str] = []
    groups: list[str] = []
    for rule in rules:
        if rule.resource == "group":
            groups.append(f"`{rule.name}`" if rule.pattern == "literal" else f"`{rule.name}…`")
        else:
            (writes if "Write" in rule.operations else reads).append(f"`{rule.name}`")
    return f"| {name} | {', '.join(writes)} | {', '.join(reads)} | {', '.join(groups)} |"


def _rows(rights: dict[str, Rights]) -> str:
    return "".join(
        f"| {name} | {', '.join(line.service)} | {', '.join(line.relay)} | {', '.join(line.reader)} |\n"
        for name, line in sorted(rights.items())
    )
