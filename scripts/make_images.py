"""Make the pictures of the README with a headless Chromium.

python scripts/make_images.py                              # images/architecture.svg -> Architecture.png
python scripts/make_images.py http://127.0.0.1:8501        # the running dashboard -> dashboard.png
"""

import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from pathlib import Path

IMAGES = Path(__file__).resolve().parent.parent / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--hide-scrollbars",
)
TRANSPARENT = "--default-background-color=00000000"
PAGE_SIZE = (1480, 1420)
SETTLE_SECONDS = 4.0


def main(arguments: list[str]) -> int:
    """Draw the architecture, or the dashboard at the address given."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        print(f"No browser found: install one of {', '.join(BROWSERS)}", file=sys.stderr)
        return 1
    if arguments:
        photograph(browser, arguments[0], IMAGES / "dashboard.png")
    else:
        render(browser, IMAGES / "architecture.svg", IMAGES / "Architecture.png")
    return 0


def render(browser: str, source: Path, target: Path) -> None:
    """Draw ``source`` (an SVG with width and height) into ``target``, twice as large as it says."""
    root = ET.parse(source).getroot()
    size = f"--window-size={root.attrib['width']},{root.attrib['height']}"
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "page.html")
        page.write_text(f"<style>body{{margin:0}}</style>{source.read_text(encoding='utf-8')}", "utf-8")
        options = (size, TRANSPARENT, "--force-device-scale-factor=2", f"--user-data-dir={folder}/profile")
        command = [browser, *QUIET, *options, f"--screenshot={target}", page.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    print(target.relative_to(IMAGES.parent))


def photograph(browser: str, address: str, target: Path) -> None:
    """Wait until the dashboard at ``address`` is drawn, then take its picture."""
    from selenium import webdriver
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    options = webdriver.ChromeOptions()
    options.binary_location = browser
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for flag in (*QUIET, f"--user-data-dir={folder}", "--window-size={},{}".format(*PAGE_SIZE)):
            options.add_argument(flag)
        driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
        try:
            driver.get(address)
            WebDriverWait(driver, 60).until(lambda d: d.find_elements(By.CSS_SELECTOR, ".sf-cards img"))
            time.sleep(SETTLE_SECONDS)
            driver.save_screenshot(str(target))
        finally:
            driver.quit()
    print(target.relative_to(IMAGES.parent))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
