"""smoke.sh says that the canary arrived only when it did."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_without_an_environment_to_look_at_nothing_is_claimed(tmp_path: Path) -> None:
    """Given an earlier build's mark and no credentials, the step fails in one line, and the mark is gone."""
    shutil.copytree(ROOT / "scripts/ci", tmp_path / "scripts/ci")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    mark = tmp_path / "build/smoke.ok"
    mark.parent.mkdir()
    mark.touch()
    (mark.parent / "deploy.ok").touch()
    kept = {k: v for k, v in os.environ.items() if not k.endswith("_EMULATOR_HOST") and not k.startswith("STOCKFLOW_")}
    env = {**kept, "PROJECT": "example", "GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "none.json")}
    command = ["bash", str(tmp_path / "scripts/ci/smoke.sh")]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert "gcloud auth application-default login" in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr
    assert not mark.exists()


def test_after_half_a_deployment_no_canary_is_sent(tmp_path: Path) -> None:
    """Given a deployment that failed, the step fails and leaves no mark: the next one goes back."""
    shutil.copytree(ROOT / "scripts/ci", tmp_path / "scripts/ci")
    command = ["bash", str(tmp_path / "scripts/ci/smoke.sh")]
    done = subprocess.run(
        command, env={**os.environ, "PROJECT": "example"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "did not finish" in done.stderr
    assert not (tmp_path / "build/smoke.ok").exists()
