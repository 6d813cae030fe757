"""From chances of sale to the best price."""
