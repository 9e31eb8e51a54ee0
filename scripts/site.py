"""`make site`: the pages of the project as one searchable site in `build/site`."""

import logging
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from cli.catalog.pages import FOLDER, pages

ROOT = Path(__file__).parents[1]
# What is copied for the site, at the same place as in the project, so that links between pages stay true.
PAGES = ("*.md", "docs/*.md", "docs/decisions/*.md", "samples/README.md", "images/*.png", "docs/site/*.js", "LICENSE")


def copy_pages(root: Path, target: Path, patterns: Iterable[str] = PAGES) -> None:
    """Copy the pages and what they show into an empty folder."""
    shutil.rmtree(target, ignore_errors=True)
    for path in sorted(path for pattern in patterns for path in root.glob(pattern)):
        copy = target / path.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)


def build(root: Path, source: Path, site: Path, catalogue: Mapping[str, str] | None = None) -> None:
    """Copy the pages to ``source``, add those of the ``catalogue`` (name -> text), and build ``site``.

    Raises:
        mkdocs.exceptions.Abort: a page is missing from the navigation, or a link leads nowhere.
    """
    from mkdocs.commands.build import build as build_site
    from mkdocs.config import load_config

    logging.basicConfig(format="%(levelname)s: %(message)s")  # what is wrong is said there
    copy_pages(root, source)
    for name, text in (catalogue or {}).items():
        page = source / FOLDER / name
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text, encoding="utf-8")
    config = load_config(str(root / "mkdocs.yml"), docs_dir=str(source), site_dir=str(site))
    build_site(config)


def main() -> None:
    """Build the site."""
    build(ROOT, ROOT / "build" / "site-source", ROOT / "build" / "site", pages())
    print(f"open {ROOT / 'build' / 'site' / 'index.html'}")


if __name__ == "__main__":
    main()
