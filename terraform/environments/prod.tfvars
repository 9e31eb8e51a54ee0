project             = "example-stockflow-prod"
environment         = "prod"
notification_emails = ["data-platform@example.com"]

access = {
  analysts   = ["group:analysts@example.com"]
  engineers  = ["group:data-engineers@example.com"]
  replayers  = ["group:data-platform@example.com"]
  pii        = ["group:purchasing@example.com"]
  dashboards = ["group:store-managers@example.com"]
  publishers = ["group:kpi-owners@example.com"]
}

uploaders = {
  erp      = { member = "serviceAccount:erp-export@example-erp.iam.gserviceaccount.com", prefix = "stock_snapshots" }
  supplier = { member = "serviceAccount:stock-export@example-acme.iam.gserviceaccount.com", prefix = "purchase_orders/acme" }
}
