"""Who can read what: as Terraform plans it, and as it is."""
