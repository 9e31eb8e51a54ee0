"""Render images/architecture.svg to images/Architecture.png with a headless Chromium.

python scripts/make_images.py
"""

import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

IMAGES = Path(__file__).resolve().parent.parent / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--hide-scrollbars", "--default-background-color=00000000", "--force-device-scale-factor=2"),
)


def main() -> int:
    """Render the picture, twice as large as drawn."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        print(f"No browser found: install one of {', '.join(BROWSERS)}", file=sys.stderr)
        return 1
    render(browser, IMAGES / "architecture.svg", IMAGES / "Architecture.png")
    return 0


def render(browser: str, source: Path, target: Path) -> None:
    """Draw ``source`` (an SVG with width and height) into ``target`` (a PNG)."""
    root = ET.parse(source).getroot()
    size = f"--window-size={root.attrib['width']},{root.attrib['height']}"
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "page.html")
        page.write_text(
            f"<style>body{{margin:0}}</style>{source.read_text(encoding='utf-8')}", encoding="utf-8"
        )
        command = [
            browser,
            *FLAGS,
            size,
            f"--user-data-dir={folder}/profile",
            f"--screenshot={target}",
            page.as_uri(),
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    print(f"{target.relative_to(IMAGES.parent)}")


if __name__ == "__main__":
    sys.exit(main())
