"""The catalogue as a site of its own: it opens from its folder, and is searched without a server or a network."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from cli.output import CommandError
from stockflow.settings import bundle_root

_WORKER = "iframe-worker.js"  # searches in pages that are opened from a folder
_STYLE, _SCRIPT = "catalogue.css", "catalogue.js"


def _scheme(media: str, name: str, other: str) -> dict[str, Any]:
    """Return a scheme of colours: that of the reader's system, until the button takes the other one."""
    toggle = {"icon": "material/theme-light-dark", "name": f"Switch to {other}"}
    colours = {"primary": "indigo", "accent": "indigo"}
    return {"media": f"(prefers-color-scheme: {media})", "scheme": name, "toggle": toggle, **colours}


_CONFIG: dict[str, Any] = {
    "site_name": "Stockflow catalogue",
    "use_directory_urls": False,
    "theme": {
        "name": "material", "font": False, "features": ["navigation.top", "search.highlight", "search.suggest"],
        "palette": [_scheme("light", "default", "dark"), _scheme("dark", "slate", "light")],
    },
    "plugins": ["search", "offline"],
    "extra": {"polyfills": [_WORKER], "generator": False},
    "extra_css": [_STYLE],
    "extra_javascript": [_SCRIPT],
    "markdown_extensions": ["tables", "pymdownx.highlight", "pymdownx.superfences"],
    "strict": True,
}  # fmt: skip


def made(site: Path) -> None:
    """Make the folder of a site, before the work that fills it.

    Raises:
        CommandError: it cannot be made, or not written to.
    """
    why = "no permission"
    try:
        site.mkdir(parents=True, exist_ok=True)
        if os.access(site, os.W_OK | os.X_OK):
            return
    except OSError as error:
        why = str(error.strerror)
    helps = "name a folder that can be written to: `stockflow catalog build --to FOLDER`"
    raise CommandError(f"cannot write into {site}: {why}", helps)


def build(pages: Mapping[str, str], site: Path) -> None:
    """Build a site of these pages (name -> text).

    Raises:
        CommandError: mkdocs is not installed here.
    """
    try:
        from mkdocs.commands.build import build as build_site
        from mkdocs.config import load_config
    except ModuleNotFoundError as error:
        raise CommandError(f"{error.name} is not installed: `make install` brings it") from error
    with TemporaryDirectory() as folder:
        source = Path(folder) / "pages"
        for name, text in pages.items():
            page = source / name
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(text, encoding="utf-8")
        for name in (_WORKER, _STYLE, _SCRIPT):
            shutil.copy(bundle_root() / "docs" / "site" / name, source / name)
        file = Path(folder) / "mkdocs.yml"
        file.write_text(yaml.safe_dump({**_CONFIG, "nav": _nav(pages)}), encoding="utf-8")
        build_site(load_config(str(file), docs_dir=str(source), site_dir=str(site.resolve())))


def _nav(pages: Mapping[str, str]) -> list[Any]:
    names = sorted(name for name in pages if name.endswith(".md") and name != "README.md")
    feeds = [name for name in names if not name.startswith("kpi-")]
    return [{"Catalogue": "README.md"}, {"Feeds": feeds}, {"KPIs": [name for name in names if name not in feeds]}]
