"""Write ``samples/``: the sample shop's files, what must become of them, and the page that says so.

Usage: ``python scripts/make_samples.py [FOLDER]``. The same seed gives the same files.
"""

import sys
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.sample_shop.book import all_files, expected, readme
from scripts.sample_shop.catalogue import PRODUCTS

HEADER = "# What must become of each sample file, in the order of dropping. Made by scripts/make_samples.py.\n"


def write(folder: Path) -> list[Path]:
    """Write all files below ``folder`` and return their paths."""
    files = all_files()
    texts = {
        "expected.yaml": HEADER + yaml.safe_dump({"files": expected(files)}, sort_keys=False, allow_unicode=True),
        "README.md": readme(files, len(PRODUCTS)),
    }
    bodies = {f.path: f.data for f in files} | {name: text.encode() for name, text in texts.items()}
    for path, body in bodies.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)
    return [folder / path for path in bodies]


if __name__ == "__main__":
    chosen = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent / "samples"
    print(f"{len(write(chosen))} files in {chosen}")
