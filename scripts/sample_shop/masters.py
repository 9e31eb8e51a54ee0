"""The files of the dimensions: products, locations, suppliers, exchange rates."""

from datetime import date, timedelta
from decimal import Decimal

from scripts.sample_shop.carriers import PLAIN, Dialect, Row, csv_bytes, jsonl_bytes, lines_of
from scripts.sample_shop.catalogue import LOCATIONS, PRODUCTS, SUPPLIERS, Product, gtin13
from scripts.sample_shop.columns import LOCATION, PRODUCT, RATE, SUPPLIER
from scripts.sample_shop.dirt import SampleFile, quarantine, reject, remark, repeat, warn
from scripts.sample_shop.shelves import chance

_LEAD = {s.code: s.lead for s in SUPPLIERS}
BAD_GTIN = "KI-5060"
BAD_COST = "OF-4030"


def product_row(product: Product, updated: str) -> Row:
    """Return a product as the master file states it."""
    return {
        "sku": product.sku,
        "name": product.name,
        "category": product.category,
        "brand": product.brand,
        "gtin": gtin13(PRODUCTS.index(product) + 101),
        "base_unit": product.base_unit,
        "pack_unit": "CS" if product.pack > 1 else None,
        "units_per_pack": product.pack if product.pack > 1 else None,
        "unit_cost": Decimal(product.cost),
        "unit_price": Decimal(product.price),
        "currency": "EUR",
        "lead_time_days": _LEAD[product.supplier],
        "supplier_code": product.supplier,
        "listed_from": product.listed,
        "delisted_on": product.delisted,
        "updated_at": updated,
    }


def product_files() -> list[SampleFile]:
    """The master of August, and the update of October that names two late SKUs and corrects a cost."""
    return [_master(), _update()]


def _master() -> SampleFile:
    rows = [product_row(p, "2026-08-28T17:30:00+02:00") for p in PRODUCTS if not p.late]
    bom = Dialect(encoding="utf-8-sig")
    file = SampleFile(
        "products/products_2026-08-28.csv",
        PRODUCT,
        PRODUCT,
        lines_of(rows, PRODUCT, bom),
        story="the product master, with a byte order mark, as a spreadsheet saves it",
    )
    file.find(sku="22E1").outcomes.append(remark("this SKU is text, not 220"))
    file.write(file.find(sku="0503E000"), "sku", '="0503E000"', remark("the shield is taken off, the SKU stays text"))
    file.write(file.find(sku="00417"), "sku", "'00417", remark("the apostrophe goes, the zeros stay"))
    good = file.find(sku=BAD_GTIN).cells[4]
    bad = good[:-1] + str((int(good[-1]) + 1) % 10)
    file.write(
        file.find(sku=BAD_GTIN),
        "gtin",
        bad,
        warn("gtin", bad, "gtin_check_digit", "the check digit is wrong: reported, the product stays"),
    )
    file.write(
        file.find(sku=BAD_COST),
        "unit_cost",
        "1180.00",
        warn(
            "unit_price",
            "189.00",
            "price_not_below_cost",
            "a point was forgotten: the update of October corrects it",
        ),
    )
    repeat(file, file.find(sku="HT-6050"), name="Door mat, coir, 40 x 60")
    blank = repeat(file, file.find(sku="HT-6020"), sku="")
    blank.row = None
    blank.outcomes.append(quarantine("sku", "", "sku_required", "a product without a SKU"))
    file.data = csv_bytes(PRODUCT, file.lines, bom)
    return file


def _update() -> SampleFile:
    changed = [p for p in PRODUCTS if p.late or p.sku == BAD_COST]
    rows = [product_row(p, "2026-10-05T08:15:00+02:00") for p in changed]
    file = SampleFile(
        "products/products_update_2026-10-05.csv",
        PRODUCT,
        PRODUCT,
        lines_of(rows, PRODUCT),
        story="two SKUs that have been sold for two weeks already, and a corrected cost",
    )
    file.data = csv_bytes(PRODUCT, file.lines)
    return file


def location_files() -> list[SampleFile]:
    """The places."""
    rows: list[Row] = [
        {
            "location_code": p.code,
            "name": p.name,
            "type": p.kind,
            "city": p.city,
            "country": p.country,
            "gln": p.gln,
            "opened_on": p.opened,
            "updated_at": "2026-08-01T09:00:00+02:00",
        }
        for p in LOCATIONS
    ]
    file = SampleFile(
        "locations/locations.csv",
        LOCATION,
        LOCATION,
        lines_of(rows, LOCATION, PLAIN),
        story="three stores, a warehouse, and the road to Geneva",
    )
    file.find(location_code="NA").outcomes.append(
        remark("the store of Nantes is called NA, which is not a missing value")
    )
    file.data = csv_bytes(LOCATION, file.lines)
    return [file]


def supplier_files() -> list[SampleFile]:
    """The suppliers, as JSON Lines."""
    rows: list[Row] = [
        {
            "supplier_code": s.code,
            "name": s.name,
            "country": s.country,
            "currency": s.currency,
            "contact_name": s.contact,
            "email": s.email,
            "phone": s.phone,
            "payment_terms_days": s.terms,
            "updated_at": "2026-07-15T09:00:00+02:00",
        }
        for s in SUPPLIERS
    ]
    file = SampleFile(
        "suppliers/suppliers.jsonl",
        SUPPLIER,
        SUPPLIER,
        lines_of(rows, SUPPLIER),
        story="four suppliers, one paid in pounds, one in dollars; a line that stops in the middle",
    )
    file.insert(
        file.find(supplier_code="S200"),
        '{"supplier_code": "S250", "name": "Jardins de',
        reject("bad_json", "the line stops in the middle"),
    )
    file.data = jsonl_bytes(SUPPLIER, file.lines, ("payment_terms_days",))
    return [file]


def rates() -> list[Row]:
    """Rates of working days, as a central bank publishes them: a slow walk."""
    level = {"CHF": 1.0412, "GBP": 1.1530, "USD": 0.9184}
    rows: list[Row] = []
    day = date(2026, 6, 29)
    while day <= date(2026, 10, 12):
        if day.weekday() < 5:
            for currency in tuple(level):
                level[currency] *= 1 + chance("rate", currency, day).uniform(-0.004, 0.004)
                rows.append(
                    {
                        "business_date": day,
                        "currency": currency,
                        "rate_to_base": Decimal(f"{level[currency]:.6f}"),
                    }
                )
        day += timedelta(days=1)
    return rows


def rate_files() -> list[SampleFile]:
    """The exchange rates."""
    file = SampleFile(
        "exchange_rates/rates_2026-10-12.csv",
        RATE,
        RATE,
        lines_of(rates(), RATE),
        story="what one unit of each currency is worth in euros, on working days",
    )
    file.write(
        file.find(currency="GBP", business_date=date(2026, 9, 8)),
        "rate_to_base",
        "n/a",
        quarantine("rate_to_base", "n/a", "rate_to_base_required", "no number: the rate of the day before is used"),
    )
    file.data = csv_bytes(RATE, file.lines)
    return [file]
