"""docs/errors.md: every code a caller can meet, from the tables of the belt and of the services."""

from __future__ import annotations

from belt.io.http.codes import CODES, RETRY_AFTER, urn
from checks.docs.apps import services

EVERYWHERE = "every service"
HEAD = """\
# Errors

Every error is a document of type `application/problem+json` (RFC 9457). `code` is the promise: it never changes its
meaning. A title may be reworded. More members may stand beside these; they say what stood in the way.

```json
{example}
```

* **404** also for what exists but is not yours to see.
* **409**: the command does not fit what happened before. The same command does not help; look at the state first.
* **422** for a body: `errors` names each field by a JSON pointer.
* **503** and **429** come with `Retry-After`. Send the command again with the same `Idempotency-Key`: it is done once.

A refused command changes nothing. Two refusals are facts in themselves and are published: a second claim on a client
(`RegistrationRefused`) and a first sale to somebody's customer (`DealRefused`), see [events](events.md).

"""
EXAMPLE = """\
{
  "type": "%s",
  "title": "Not in this stage of the prospect",
  "status": 409,
  "code": "prospect.wrong-stage",
  "stage": "offered"
}"""


def page() -> str:
    """The whole page."""
    rows: dict[tuple[str, int, str], list[str]] = {}
    for code, (status, title) in CODES.items():
        rows[code, status, title] = [EVERYWHERE]
    for service in services():
        for code, (status, title) in service.codes.items():
            where = rows.setdefault((code, status, title), [])
            if where != [EVERYWHERE]:
                where.append(service.name)
    text = HEAD.replace("{example}", EXAMPLE % urn("prospect.wrong-stage"))
    text += "| code | status | title | from |\n|---|---|---|---|\n"
    for (code, status, title), where in sorted(rows.items()):
        again = f"; again after {RETRY_AFTER[code]} s" if code in RETRY_AFTER and where == [EVERYWHERE] else ""
        text += f"| `{code}` | {status} | {title}{again} | {', '.join(where)} |\n"
    return text
