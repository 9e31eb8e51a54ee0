"""Stockflow in Airflow: thin tasks on the code of the command line.

In a checkout that code is beside this folder; in the wheel (`stockflow package` builds it) it is in ``bundle/``. Only
the standard library is imported here: a DAG file opens no client and reads no ledger.
"""

import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_BUNDLE = _HERE / "bundle"
_FOLDERS = [_BUNDLE] if _BUNDLE.is_dir() else [_HERE.parents[1], _HERE.parents[1] / "shared"]

sys.path += [str(folder) for folder in _FOLDERS if str(folder) not in sys.path]
