"""What the law asks of prices: which prices were shown, and the lowest one before an announced reduction."""
