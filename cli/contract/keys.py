"""The keys that a contract may have, place by place: what the standard names and what this project reads."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Place:
    """The keys of a mapping: required ones, others, and what stands below a key (``[]``: in each item of a list)."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    below: dict[str, "Place"] = field(default_factory=dict)
    words: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def known(self) -> tuple[str, ...]:
        """All keys."""
        return (*self.required, *self.optional)


SEVERITIES = ("critical", "warning", "load")
LOGICAL = ("string", "integer", "number", "date", "timestamp", "boolean", "object", "array", "time")
PHYSICAL = ("STRING", "INT64", "NUMERIC", "DATE", "TIMESTAMP")
# expectation -> (arguments that it needs, others)
EXPECTATIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "expect_column_values_to_be_between": ((), ("min_value", "max_value", "strict_min", "strict_max", "column")),
    "expect_column_values_to_match_regex": (("regex",), ("column",)),
    "expect_column_values_to_not_match_regex": (("regex",), ("column",)),
    "expect_column_pair_values_a_to_be_greater_than_b": (("column_A", "column_B"), ("or_equal", "ignore_row_if")),
    "expect_compound_columns_to_be_unique": (("column_list",), ()),
    "stockflow_columns_present": (("columns",), ()),
    "stockflow_not_after_landing": (("max_days",), ("column",)),
    "stockflow_gtin_check_digit": ((), ("column",)),
    "stockflow_gln_check_digit": ((), ("column",)),
    "stockflow_abs_not_above": (("column_A", "column_B"), ()),
    "stockflow_same_sign": (("column_A", "column_B"), ()),
    "stockflow_row_count_not_below_previous": (("min_ratio",), ()),
    "stockflow_locations_not_absent": (("column", "max_absent_ratio"), ()),
}
CONTRACT_PROPERTIES = (
    "kind", "businessDate", "businessTime", "clusterBy", "baseCurrency", "dateOrder", "dateOrderCertain", "decimalMark",
    "timeZone", "encoding", "maxRefusedShare", "maxAgeDays", "maxJump", "carryForwardDays", "wholeLocationDay",
    "expectedWeekdays", "expectedFromLines", "generations", "fixedWidth", "keepFilesDays", "keepRawDays",
    "keepCuratedDays", "promisedDays",
)  # fmt: skip
# property -> least and greatest value, and what it is
BOUNDS: dict[str, tuple[float, float, str]] = {
    "maxRefusedShare": (0, 1, "a share of the rows, from 0 to 1"),
    "maxJump": (1.000001, 1e9, "a factor above 1 (1.1: a tenth more or less than the rate before)"),
    "maxAgeDays": (1, 36_500, "a number of days"),
    "carryForwardDays": (0, 36_500, "a number of days"),
    "expectedWeekdays": (0, 1_234_567, "weekdays from 1 (Monday) to 7, such as 123456"),
    "keepFilesDays": (31, 400, "a number of days, from 31 (replays) to 400"),
    "keepRawDays": (31, 36_500, "a number of days, from 31 (replays)"),
    "keepCuratedDays": (400, 36_500, "a number of days, from 400 (a year, and what is compared with it)"),
    "expectedFromLines": (1, 1_000_000, "a number of lines a day"),
    "promisedDays": (0, 180, "a number of days after the order"),
}
COLUMN_PROPERTIES = (
    "vocabulary", "aliases", "fallbackAliases", "formats", "unit", "derived", "closedVocabulary", "default",
)  # fmt: skip
RULE_PROPERTIES = ("severity", "expected")

_CUSTOM = Place(("property", "value"), ("description",))
_IMPLEMENTATION = Place(("type",), ("kwargs",))
_QUALITY = Place(
    ("name", "type", "severity", "description", "implementation"),
    ("engine", "dimension", "customProperties", "rule", "id", "tags"),
    {"implementation": _IMPLEMENTATION, "customProperties[]": _CUSTOM},
    {"severity": SEVERITIES},
)
_COLUMN = Place(
    ("name", "logicalType", "physicalType"),
    ("required", "primaryKey", "primaryKeyPosition", "description", "logicalTypeOptions", "customProperties", "quality",
     "classification", "tags", "businessName", "examples", "unique", "id"),
    {"quality[]": _QUALITY, "customProperties[]": _CUSTOM,
     "logicalTypeOptions": Place((), ("maxLength", "minLength", "pattern", "format", "minimum", "maximum"))},
    {"logicalType": LOGICAL, "physicalType": PHYSICAL},
)  # fmt: skip
_TABLE = Place(
    ("name", "properties"),
    ("physicalName", "logicalType", "physicalType", "description", "dataGranularityDescription", "quality", "tags",
     "businessName", "id"),
    {"properties[]": _COLUMN, "quality[]": _QUALITY},
)  # fmt: skip
CONTRACT = Place(
    ("apiVersion", "kind", "id", "version", "status", "schema"),
    ("name", "domain", "description", "team", "slaDefaultElement", "slaProperties", "customProperties", "tenant",
     "dataProduct", "tags", "support", "price", "roles", "servers", "authoritativeDefinitions"),
    {
        "schema[]": _TABLE,
        "customProperties[]": _CUSTOM,
        "slaProperties[]": Place(("property", "value"), ("unit", "description", "element", "driver", "valueExt")),
        "description": Place((), ("purpose", "usage", "limitations", "customProperties", "authoritativeDefinitions")),
    },
    {"kind": ("DataContract",)},
)  # fmt: skip
