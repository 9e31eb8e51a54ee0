"""The columns of each kind of file, in the order of the file. One name a word; French headers have blanks."""

_NAMES = """
PRODUCT  sku name category brand gtin base_unit pack_unit units_per_pack unit_cost unit_price currency
         lead_time_days supplier_code listed_from delisted_on updated_at
LOCATION location_code name type city country gln opened_on closed_on updated_at
SUPPLIER supplier_code name country currency contact_name email phone payment_terms_days updated_at
RATE     business_date currency rate_to_base
STOCK    business_date sku location_code on_hand available committed incoming unit unit_cost currency
SALES    receipt_number line_number business_date sold_at sku location_code quantity unit net_amount
         gross_amount currency
MOVEMENTS document line_number business_date entry_date movement_type sku location_code counterpart_location
         quantity unit unit_cost currency reason
ORDERS   order_number line_number business_date supplier_code sku location_code ordered_quantity unit
         unit_cost currency promised_date received_date received_quantity status updated_at
ASKED    order_number line_number business_date sku location_code ordered_quantity shipped_quantity
         cancelled_quantity cancel_reason unit requested_date shipped_date updated_at
COUNTS   business_date sku location_code counted_at counted_quantity book_quantity unit counted_by
SAP_COLUMNS business_date sku location_code on_hand unit unit_cost currency
"""


def _columns(kind: str) -> tuple[str, ...]:
    tables = _NAMES.replace("\n         ", " ").strip().splitlines()
    return next(tuple(words[1:]) for words in map(str.split, tables) if words[0] == kind)


PRODUCT, LOCATION, SUPPLIER, RATE = (_columns(k) for k in ("PRODUCT", "LOCATION", "SUPPLIER", "RATE"))
STOCK, SALES, MOVEMENTS = (_columns(k) for k in ("STOCK", "SALES", "MOVEMENTS"))
ORDERS, COUNTS, STOCK_SAP_COLUMNS = (_columns(k) for k in ("ORDERS", "COUNTS", "SAP_COLUMNS"))
ASKED = _columns("ASKED")

STOCK_SAP = ("Stock date", "MATNR", "WERKS", "LABST", "MEINS", "STPRS", "WAERS")
_STOCK_FR = """Date de stock|Référence|Code magasin|Quantité en stock|Qté disponible|Qté réservée
|Qté en commande|Unité|Coût unitaire|Devise"""
_SALES_FR = """N° ticket|Ligne|Date de vente|Heure de vente|Référence|Code magasin|Quantité|Unité|Montant HT
|Montant TTC|Devise"""
STOCK_FR = tuple(_STOCK_FR.replace("\n", "").split("|"))
SALES_FR = tuple(_SALES_FR.replace("\n", "").split("|"))
