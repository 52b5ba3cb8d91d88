"""The documents' site is whole, its navigation names every page, nothing comes from elsewhere; all else is found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.site import judging
from checks.site.__main__ import CONFIG, ROOT, build
from checks.site.staging import SCRIPT, LeadsNowhere, stage

PAGES = {
    "README.md": "# Start\n\nRead [a](docs/a.md#part-one), [all](docs/README.md), [code](src/x.py), [more](src).\n",
    "docs/README.md": "# All\n\n- [a](a.md)\n",
    "docs/a.md": "# A\n\n## Part `one`\n\n```mermaid\ngraph LR\n```\n\n[back](../README.md) [twice](sub/README.md)\n",
    "docs/sub/README.md": "# Sub\n\n[code](../../src/x.py)\n",
    "docs/zensical.toml": '[project]\nsite_name = "x"\ndocs_dir = "docs"\nsite_dir = "site"\n\n'
    "use_directory_urls = false\n"
    'nav = ["index.md", "contents.md", { "More" = ["a.md", "sub/index.md"] }]\n[project.theme]\nfont = false\n'
    '[project.markdown_extensions.toc]\nslugify = { object = "pymdownx.slugs.slugify", kwds = { case = "lower" } }\n',
    "src/x.py": "X = 1\n",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for place, text in PAGES.items():
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(text)
    return tmp_path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of this checkout."""
    folder = tmp_path_factory.mktemp("site")
    assert build(ROOT, folder) == []
    return folder / "site"


def test_every_document_is_a_page_and_diagrams_are_drawn_by_our_own_script(built: Path) -> None:
    documents = [path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")]
    assert len(documents) > 60
    for path in documents:
        name = str(path).replace("README.md", "index.md")
        page = built / ("contents.html" if name == "index.md" else name.replace(".md", ".html"))
        assert page.is_file()
    drawn = [page for page in built.rglob("*.html") if 'class="mermaid"' in page.read_text()]
    assert drawn
    for page in drawn:
        scripts = re.findall(r'<script[^>]* src="([^"]+)"', page.read_text())
        ours, themes = (next(at for at, one in enumerate(scripts) if name in one) for name in (SCRIPT, "bundle."))
        assert ours < themes, "else the theme fetches one from elsewhere"


def test_a_small_checkout_is_a_site_and_its_code_is_shown(checkout: Path) -> None:
    assert build(checkout, checkout / "build") == []
    shown = checkout / "build/site"
    assert (shown / "source/src/x.py.txt").read_text() == "X = 1\n"
    assert 'href="x.py.txt"' in (shown / "source/src/index.html").read_text()
    assert 'id="part-one"' in (shown / "a.html").read_text()
    assert PAGES["README.md"] == (checkout / "README.md").read_text(), "what lies in the checkout stays as it is"


def test_a_link_to_nothing_is_found(checkout: Path) -> None:
    (checkout / "docs/a.md").write_text("# A\n\n[gone](gone.md)\n")
    with pytest.raises(LeadsNowhere, match=r"docs/a\.md: gone\.md"):
        stage(checkout, checkout / "build/docs")
    assert build(checkout, checkout / "build") == ["leads nowhere: docs/a.md: gone.md"]


def test_a_link_out_of_the_checkout_is_found(checkout: Path) -> None:
    (checkout / "docs/a.md").write_text("# A\n\n[out](../../../etc)\n")
    with pytest.raises(LeadsNowhere):
        stage(checkout, checkout / "build/docs")


def test_a_link_to_a_heading_that_there_is_not_fails_the_build(checkout: Path) -> None:
    (checkout / "docs/a.md").write_text("# A\n\n[nowhere](README.md#nothing)\n")
    (found,) = build(checkout, checkout / "build")
    assert "anchor does not exist" in found
    assert "README.md#nothing" in found or "contents.md#nothing" in found, found


def findings(checkout: Path, seed: str, place: str = CONFIG) -> list[str]:
    (checkout / place).write_text(seed)
    return list(judging.unlisted(judging.nav_of(checkout / CONFIG), stage(checkout, checkout / "build/docs")))


def test_a_page_that_the_navigation_does_not_name_is_found(checkout: Path) -> None:
    assert findings(checkout, "# New\n", "docs/sub/new.md") == ["docs/sub/new.md is not in the navigation"]


def test_a_name_of_no_page_and_a_page_named_twice_are_found(checkout: Path) -> None:
    named = PAGES[CONFIG].replace('"contents.md"', '"contents.md", "old.md", "a.md"')
    assert findings(checkout, named) == [
        "the navigation names old.md, which there is not",
        "the navigation names a.md twice",
    ]


@pytest.mark.parametrize(
    "seed",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="https://fonts.example/x.css">',
        '<link rel="preconnect" href="//fonts.example">',
        '<img src="http://example.org/x.png" alt="">',
        '<img srcset="a.png 1x, https://example.org/x.png 2x" src="a.png" alt="">',
        '<iframe src="https://example.org/"></iframe>',
        '<p style="background: url(https://example.org/x.png)"></p>',
        '<svg><use href="https://example.org/x.svg#a"/></svg>',
    ],
)
def test_what_a_page_fetches_from_elsewhere_is_found(tmp_path: Path, seed: str) -> None:
    (tmp_path / "x.html").write_text(f"<!DOCTYPE html><html><body>{seed}</body></html>")
    assert list(judging.foreign(tmp_path, judging.read(tmp_path)))


def test_what_a_style_sheet_fetches_from_elsewhere_is_found(tmp_path: Path) -> None:
    for number, seed in enumerate(styles()):
        (tmp_path / f"{number}.css").write_text(seed)
    assert len(list(judging.foreign(tmp_path, {}))) == len(list(styles()))


def styles() -> Iterator[str]:
    yield "@font-face { src: url('https://fonts.example/x.woff2') }"
    yield "@import 'https://fonts.example/x.css';"
    yield "a { background: url(//example.org/x.png) }"


def test_a_page_may_lead_elsewhere_and_fetch_from_here(tmp_path: Path) -> None:
    (tmp_path / "x.html").write_text('<a href="https://example.org/">out</a><img src="data:image/png;base64,x" alt="">')
    pages = judging.read(tmp_path)
    assert not list(judging.foreign(tmp_path, pages))
    assert not list(judging.dead(tmp_path, pages))
    (tmp_path / "y.html").write_text(
        '<a href="z.html">gone</a><a href="x.html#gone">gone</a><p id="a"><a href="#a">a</a>'
    )
    assert len(list(judging.dead(tmp_path, judging.read(tmp_path)))) == 2
