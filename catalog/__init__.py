"""What everyone must agree on: products, stores, settings, table contracts, and what a price decision is."""
