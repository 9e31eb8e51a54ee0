/*
kind: base
title: Calendar
description: >
  Every day from the first to the newest business date of any record of stock, sales or customers' orders. How far each
  KPI reaches depends on its own facts (see `horizon` in its header), never on the clock, so a replay gives the same
  numbers.
french:
  title: "Calendrier"
  description: >
    Chaque jour, de la première à la dernière date de stock, de vente ou de commande client connue. Jusqu'où va chaque
    indicateur dépend de ses propres données (voir `horizon` dans son en-tête), jamais de l'horloge : un nouveau calcul
    donne donc les mêmes chiffres.
formula: each day from the first to the last known one
grain: []
owner: inventory-data
lookback_days: 0
examples:
  - given:
      inventory_curated.stock_snapshots:
        - {business_date: 2026-09-01, sku: A, location_code: P1, on_hand: 1}
      inventory_curated.sales:
        - {business_date: 2026-09-03, sku: A, location_code: P1, quantity: 1}
    expect:
      - {business_date: 2026-09-01}
      - {business_date: 2026-09-02}
      - {business_date: 2026-09-03}
*/
SELECT business_date
FROM inventory_curated.known_days AS known, UNNEST(GENERATE_DATE_ARRAY(known.first_day, known.last_day)) AS business_date
WHERE known.horizon = 'all'
