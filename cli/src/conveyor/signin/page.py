"""What is shown: whom one can be, and what went wrong. A style sheet of our own, no script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from conveyor.signin.people import BUNDLES, LONGEST_NAME, OFFICE, Person

STYLE = """\
:root { color-scheme: light dark; --line: #767676; --soft: #f2f4f7; --ink: #1a1c20; --paper: #fff; --way: #0b57d0 }
@media (prefers-color-scheme: dark) {
  :root { --line: #8c8c8c; --soft: #24272d; --ink: #e8eaed; --paper: #15171a; --way: #a8c7fa }
}
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 52rem; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink);
  background: var(--paper) }
h1 { font-size: 1.4rem; margin: .5rem 0 }
h2 { font-size: 1.1rem; margin: 1.5rem 0 .5rem }
ul { list-style: none; margin: 0; padding: 0; display: grid; gap: .4rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 16rem), 1fr)) }
button, input { font: inherit; color: inherit; border: 1px solid var(--line); border-radius: .4rem }
button { width: 100%; height: 100%; padding: .5rem .7rem; text-align: start; background: var(--soft); cursor: pointer }
button b { color: var(--way) }
button small { display: block }
button:hover { border-color: var(--way) }
:focus-visible { outline: 3px solid var(--way); outline-offset: 1px }
input[type=text] { padding: .4rem .6rem; background: var(--paper); width: min(100%, 20rem) }
fieldset { border: 1px solid var(--line); border-radius: .4rem; margin: .6rem 0; padding: .3rem .8rem }
fieldset label { display: inline-block; margin-inline-end: 1rem; white-space: nowrap }
.go { width: auto; height: auto }
.note { border-inline-start: 4px solid var(--line); padding-inline-start: .7rem }
"""
PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="{style}">
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""
OPEN_TO_ALL = "This is the sign-in of a development machine: no passwords; whoever reaches this page may be anybody."
STYLE_PATH = "/sign-in.css"
PICK_PATH = "/pick"


def picking(application: str, ticket: str, line: Sequence[Person], trouble: str | None) -> str:
    """Everybody one can be, and a form for anybody else."""
    held = f'<input type="hidden" name="ticket" value="{escape(ticket)}">'
    start = f'<form method="post" action="{PICK_PATH}">{held}'
    parts = [f"<p>{escape(application)} asks who you are. {OPEN_TO_ALL}</p>"]
    if trouble is not None:
        parts.append(f'<p class="note" role="status">{escape(trouble)}</p>')
    for heading, people in (("On the line", line), ("In the office", _office(line))):
        if people:
            parts.append(f"<h2>{heading}</h2>{start}<ul>{''.join(map(_choice, people))}</ul></form>")
    boxes = "".join(
        f'<label><input type="checkbox" name="role" value="{escape(role)}"> {escape(role)}</label>' for role in BUNDLES
    )
    parts.append(
        f"<h2>Anybody else</h2>{start}"
        f'<p><label>Id <input type="text" name="name" required maxlength="{LONGEST_NAME}" autocomplete="off">'
        "</label></p>"
        f"<fieldset><legend>Roles</legend>{boxes}</fieldset>"
        '<button class="go">Sign in</button></form>'
    )
    return page(f"Sign in to {application}", "\n".join(parts))


def page(title: str, body: str) -> str:
    """A whole page. `body` is HTML already."""
    return PAGE.format(title=escape(title), style=STYLE_PATH, body=body)


def told(title: str, why: str) -> str:
    """A page that only says something."""
    return page(title, f"<p>{escape(why)}</p>")


def _office(line: Iterable[Person]) -> list[Person]:
    known = {person.id for person in line}
    return [person for person in OFFICE if person.id not in known]


def _choice(person: Person) -> str:
    roles, where = escape(" + ".join(person.roles)), escape(person.where)
    return (
        f'<li><button name="person" value="{escape(person.id)}"><b>{escape(person.id)}</b> {roles}'
        f"<small>{where}</small></button></li>"
    )
