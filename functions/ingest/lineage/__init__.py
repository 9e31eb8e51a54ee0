"""What the ledger says, told to others as OpenLineage events: after the stages, never by them."""
