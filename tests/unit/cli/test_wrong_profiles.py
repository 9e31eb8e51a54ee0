"""Doctor and status name a profile that is wrong, and say what it stops."""

from pathlib import Path

from cli.doctor.profiles import FIX, check, wrong


def contracts(folder: Path, *profiles: str) -> Path:
    (folder / "senders").mkdir()
    for number, text in enumerate(profiles):
        (folder / "senders" / f"s{number}.yaml").write_text(text, encoding="utf-8")
    return folder


def test_each_profile_that_is_wrong_is_named_with_what_waits(tmp_path: Path) -> None:
    folder = contracts(tmp_path, "timeZone: Paris", "a: [", "encoding: cp1252")
    one, other = wrong(folder)
    assert one.startswith("contracts/senders/s0.yaml: timeZone: found 'Paris'")
    assert one.endswith("(files are refused until it is corrected; KPIs go on with its calendar)")
    assert "s1.yaml: it is not valid YAML" in other and other.endswith("KPIs that need its calendar wait)")
    findings = list(check(folder))
    assert [(f.ok, f.fix) for f in findings] == [(False, FIX)] * 2


def test_profiles_without_a_mistake_are_one_finding(tmp_path: Path) -> None:
    (finding,) = check(contracts(tmp_path, "encoding: cp1252"))
    assert finding.ok and wrong(tmp_path) == []
