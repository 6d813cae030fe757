"""What holds for a product in a store at its next tick: one answer for shelf, quote, export, desk, tags and alerts."""
