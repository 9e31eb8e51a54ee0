"""The dashboard's catalogue is derived from the definitions: order, limits, what has no table is left out."""

from cli import wording
from functions.kpi.definition import parse
from local.dashboard.catalogue import shown

BASE = ("business_date", "sku", "value")
HEADER = "/*\ntitle: {title}\ndescription: D.\nmeaning: M.\nformula: F\nsource: S\nunit: {unit}\ngrain: {grain}\n"
REST = "owner: o\nlookback_days: 0\ndirection: down\nrollup: {rollup}\n{more}\n*/\nSELECT 1"


def definition(name, title="T", unit="share", grain="[sku]", rollup="ratio", more=""):
    return parse(f"{name}.sql", (HEADER + REST).format(title=title, unit=unit, grain=grain, rollup=rollup, more=more))


def test_stock_comes_first_then_shelves_skus_and_suppliers():
    definitions = [
        definition("lead", "A lead time", grain="[supplier_code]"),
        definition("age", "A age"),
        definition("rate", "Z rate", grain="[sku, location_code]"),
        definition("value", "Z value", grain="[sku, location_code]", rollup="sum"),
    ]
    found = shown(definitions, dict.fromkeys(("lead", "age", "rate", "value"), BASE))
    assert [k.name for k in found] == ["value", "rate", "age", "lead"]


def test_a_kpi_without_a_table_and_a_base_model_are_left_out():
    assert shown([definition("new"), definition("spine", more="kind: base")], {"spine": BASE}) == ()


def test_a_value_outside_its_thresholds_wants_attention():
    (kpi,) = shown([definition("rate", more="thresholds: {low: 0.01, high: 0.05}")], {"rate": BASE})
    assert [kpi.alarm(v) for v in (0.06, 0.05, 0.005, None)] == ["high", "", "low", ""]
    assert wording.beyond(kpi.alarm(0.06), kpi.low, kpi.high, kpi.unit) == "above 5 %"
    assert wording.beyond("low", 4, None, "turns per year") == "below 4 turns per year"


def test_classes_are_counted_not_added_up():
    (kpi,) = shown([definition("abc")], {"abc": ("business_date", "sku", "abc_class")})
    assert (kpi.unit, kpi.rollup) == ("SKUs in class A", "sum")
