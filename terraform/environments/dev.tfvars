project             = "example-stockflow-dev"
environment         = "dev"
deletion_protection = false

optional = {
  monitoring = false
  catalog    = false
}
