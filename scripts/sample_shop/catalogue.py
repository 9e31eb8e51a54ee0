"""What the shop is: its products, locations and suppliers. Plain data, no chance."""

from dataclasses import dataclass
from datetime import date

WEEKS = tuple(range(36, 42))
FIRST_DAY = date(2026, 8, 31)
LAST_DAY = date(2026, 10, 11)


@dataclass(frozen=True)
class Supplier:
    """A supplier; ``lead`` and ``spread`` are days, ``short`` the share of lines delivered short."""

    code: str
    name: str
    country: str
    currency: str
    contact: str
    email: str
    phone: str
    terms: int
    lead: int
    spread: int
    short: float


@dataclass(frozen=True)
class Location:
    """A place that holds stock. ``share`` is its part of demand; 0 for places that do not sell."""

    code: str
    name: str
    kind: str
    city: str
    country: str
    gln: str
    opened: date
    currency: str
    share: float


@dataclass(frozen=True)
class Product:
    """A product. ``daily`` is the chain's mean demand on an average day, in base units; ``belief`` is
    what its planner makes of that (0.5: orders for half of it, and runs out)."""

    sku: str
    name: str
    category: str
    brand: str
    supplier: str
    cost: str
    price: str
    daily: float
    pack: int
    base_unit: str = "EA"
    stores: str = "LYO NA GVA"
    listed: date = date(2026, 1, 5)
    delisted: date | None = None
    late: bool = False
    dead_since: date | None = None
    belief: float = 1.0


SUPPLIERS = (
    Supplier(
        "S100",
        "Pépinières du Rhône SARL",
        "FR",
        "EUR",
        "Claire Fabre",
        "commandes@pepinieres-rhone.example",
        "+33 4 72 00 01 02",
        30,
        5,
        1,
        0.08,
    ),
    Supplier(
        "S200",
        "Bergmann Gartentechnik GmbH",
        "DE",
        "EUR",
        "Jens Vogel",
        "vertrieb@bergmann-garten.example",
        "+49 711 555 0142",
        45,
        9,
        2,
        0.10,
    ),
    Supplier(
        "S300",
        "Ashdown & Lowe Ltd",
        "GB",
        "GBP",
        "Harriet Lowe",
        "trade@ashdownlowe.example",
        "+44 20 7946 0321",
        30,
        15,
        3,
        0.22,
    ),
    Supplier(
        "S400",
        "Cascade Outdoor Inc.",
        "US",
        "USD",
        "Dana Whitfield",
        "orders@cascadeoutdoor.example",
        "+1 503 555 0177",
        60,
        24,
        5,
        0.30,
    ),
)

LOCATIONS = (
    Location("LYO", "Lyon Confluence", "store", "Lyon", "FR", "3012345000017", date(2014, 4, 12), "EUR", 0.42),
    Location("NA", "Nantes Atlantis", "store", "Nantes", "FR", "3012345000024", date(2018, 9, 1), "EUR", 0.33),
    Location("GVA", "Genève Eaux-Vives", "store", "Genève", "CH", "3012345000031", date(2022, 3, 19), "CHF", 0.25),
    Location("DC1", "Entrepôt de Mâcon", "warehouse", "Mâcon", "FR", "3012345000048", date(2016, 1, 4), "EUR", 0.0),
    Location("TRANSIT", "En transit vers Genève", "transit", "", "", "", date(2022, 3, 1), "EUR", 0.0),
)
STORES = ("LYO", "NA", "GVA")
WAREHOUSE = "DC1"
TRANSIT = "TRANSIT"

_TOOLS, _POTS, _SEEDS = "Garden tools", "Pots & planters", "Seeds & bulbs"
_FURNITURE, _KITCHEN, _TEXTILE = "Outdoor furniture", "Kitchen", "Home textiles"

PRODUCTS = (
    # SKUs that spreadsheets ruin: numbers in scientific notation, leading zeros
    Product("22E1", "Bypass secateurs 22 cm", _TOOLS, "Bergmann", "S200", "12.40", "19.90", 6.0, 6),
    Product("0503E000", "Replacement blade, folding saw", _TOOLS, "Bergmann", "S200", "3.10", "5.20", 2.2, 12),
    Product("00417", "Hand trowel, ash handle", _TOOLS, "Ashdown & Lowe", "S300", "5.60", "8.90", 3.4, 10),
    Product(
        "00418",
        "Hand fork, ash handle",
        _TOOLS,
        "Ashdown & Lowe",
        "S300",
        "5.60",
        "8.90",
        2.4,
        10,
        belief=0.38,
    ),
    Product("GT-1010", "Border spade, stainless", _TOOLS, "Ashdown & Lowe", "S300", "19.50", "31.90", 2.6, 4),
    Product("GT-1020", "Leaf rake, adjustable", _TOOLS, "Bergmann", "S200", "9.80", "15.90", 3.0, 6, belief=0.42),
    Product("GT-1030", "Hose 25 m with couplings", _TOOLS, "Bergmann", "S200", "16.20", "25.90", 2.4, 4),
    Product(
        "GT-1040",
        "Watering can 10 l, zinc",
        _TOOLS,
        "Ashdown & Lowe",
        "S300",
        "13.70",
        "22.50",
        1.8,
        4,
        belief=1.4,
    ),
    Product("GT-1050", "Bamboo plant label", _TOOLS, "Maison Verger", "S100", "0.12", "0.20", 60.0, 100),
    Product("PP-2010", "Terracotta pot 20 cm", _POTS, "Terre du Rhône", "S100", "2.30", "3.90", 8.0, 12),
    Product("PP-2020", "Terracotta pot 32 cm", _POTS, "Terre du Rhône", "S100", "5.40", "8.90", 4.5, 6),
    Product("PP-2030", "Fibre-clay planter 60 cm", _POTS, "Cascade", "S400", "24.00", "39.90", 1.6, 2),
    Product("PP-2040", "Self-watering window box", _POTS, "Bergmann", "S200", "8.90", "14.50", 2.8, 6),
    Product("PP-2050", "Saucer 32 cm", _POTS, "Terre du Rhône", "S100", "1.90", "3.20", 3.0, 12, belief=0.38),
    Product(
        "PP-2060",
        "Glazed cachepot, cobalt",
        _POTS,
        "Terre du Rhône",
        "S100",
        "7.20",
        "11.90",
        1.0,
        6,
        stores="LYO GVA",
    ),
    Product(
        "SB-3010",
        "Tulip bulbs, mixed, 50",
        _SEEDS,
        "Pépinières du Rhône",
        "S100",
        "6.80",
        "10.90",
        7.0,
        10,
        belief=0.38,
    ),
    Product(
        "SB-3020",
        "Daffodil bulbs 'Carlton', 25",
        _SEEDS,
        "Pépinières du Rhône",
        "S100",
        "4.90",
        "7.90",
        5.0,
        10,
        belief=0.44,
    ),
    Product("SB-3030", "Crocus bulbs, 40", _SEEDS, "Pépinières du Rhône", "S100", "3.20", "5.50", 3.0, 10),
    Product("SB-3040", "Winter salad seeds", _SEEDS, "Pépinières du Rhône", "S100", "1.10", "1.90", 4.0, 20),
    Product("SB-3050", "Lawn seed", _SEEDS, "Pépinières du Rhône", "S100", "5.20", "8.40", 9.0, 10, base_unit="KG"),
    Product(
        "SB-3060",
        "Broad bean seeds 'Aguadulce'",
        _SEEDS,
        "Pépinières du Rhône",
        "S100",
        "1.60",
        "2.70",
        1.4,
        20,
        belief=1.6,
    ),
    Product(
        "OF-4010",
        "Folding bistro chair",
        _FURNITURE,
        "Cascade",
        "S400",
        "31.00",
        "49.90",
        2.2,
        2,
        belief=0.38,
    ),
    Product("OF-4020", "Bistro table 60 cm", _FURNITURE, "Cascade", "S400", "54.00", "86.00", 0.9, 1),
    Product("OF-4030", "Teak bench 150 cm", _FURNITURE, "Cascade", "S400", "118.00", "189.00", 0.6, 1),
    Product("OF-4040", "Solar lantern, set of 2", _FURNITURE, "Cascade", "S400", "14.50", "23.90", 2.6, 6),
    Product(
        "OF-4050",
        "Parasol 3 m, écru",
        _FURNITURE,
        "Cascade",
        "S400",
        "62.00",
        "99.00",
        0.0,
        1,
        stores="LYO NA",
        dead_since=date(2026, 2, 9),
    ),
    Product("OF-4060", "Fire bowl 55 cm", _FURNITURE, "Bergmann", "S200", "38.00", "62.00", 1.1, 2, belief=1.8),
    Product("KI-5010", "Enamel saucepan 18 cm", _KITCHEN, "Ashdown & Lowe", "S300", "11.80", "19.50", 2.0, 4),
    Product(
        "KI-5020",
        "Preserving jar 1 l, set of 6",
        _KITCHEN,
        "Maison Verger",
        "S100",
        "9.40",
        "15.50",
        3.8,
        4,
        belief=0.44,
    ),
    Product(
        "KI-5030",
        "Oak chopping board",
        _KITCHEN,
        "Ashdown & Lowe",
        "S300",
        "14.20",
        "23.50",
        1.7,
        5,
        belief=0.42,
    ),
    Product("KI-5040", "Tea towel, linen", _KITCHEN, "Ashdown & Lowe", "S300", "4.10", "7.20", 3.2, 10),
    Product(
        "KI-5050",
        "Cast-iron casserole 4 l",
        _KITCHEN,
        "Bergmann",
        "S200",
        "42.00",
        "69.00",
        1.0,
        2,
        belief=1.6,
    ),
    Product(
        "KI-5060",
        "Mandoline slicer",
        _KITCHEN,
        "Bergmann",
        "S200",
        "13.90",
        "22.90",
        0.7,
        6,
        stores="LYO NA",
        belief=1.8,
    ),
    Product("HT-6010", "Wool throw 130 x 180", _TEXTILE, "Ashdown & Lowe", "S300", "27.50", "45.00", 1.5, 4),
    Product(
        "HT-6020",
        "Cushion cover 45 cm",
        _TEXTILE,
        "Maison Verger",
        "S100",
        "6.30",
        "10.50",
        3.0,
        8,
        belief=0.44,
    ),
    Product(
        "HT-6030",
        "Linen tablecloth 170 x 250",
        _TEXTILE,
        "Ashdown & Lowe",
        "S300",
        "29.00",
        "48.00",
        0.8,
        4,
        belief=1.7,
    ),
    Product(
        "HT-6040",
        "Outdoor rug 120 x 180",
        _TEXTILE,
        "Cascade",
        "S400",
        "22.00",
        "36.00",
        0.0,
        2,
        stores="NA GVA",
        dead_since=date(2026, 1, 19),
    ),
    Product("HT-6050", "Door mat, coir", _TEXTILE, "Maison Verger", "S100", "7.80", "12.90", 2.0, 6),
    Product(
        "HT-6060",
        "Bread basket, cotton",
        _TEXTILE,
        "Maison Verger",
        "S100",
        "3.90",
        "6.50",
        0.0,
        10,
        stores="LYO",
        dead_since=date(2026, 2, 23),
    ),
    # sold from 21 and 28 September; the product file that names them comes on 5 October
    Product(
        "SB-3070",
        "Amaryllis gift box",
        _SEEDS,
        "Pépinières du Rhône",
        "S100",
        "8.60",
        "14.50",
        4.0,
        6,
        listed=date(2026, 9, 21),
        late=True,
    ),
    Product(
        "HT-6070",
        "Advent candle, beeswax",
        _TEXTILE,
        "Maison Verger",
        "S100",
        "5.10",
        "8.90",
        3.0,
        12,
        listed=date(2026, 9, 28),
        late=True,
    ),
)


def gtin13(number: int) -> str:
    """Return a valid GTIN-13 in the shop's own range: prefix, item number, mod-10 check digit."""
    body = f"301234{number:06d}"
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
    return f"{body}{-total % 10}"
