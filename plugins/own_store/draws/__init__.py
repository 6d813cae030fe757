"""Prices of stores that sell by themselves: drawn or changed hourly, approved, quoted, and compared by a coin."""
