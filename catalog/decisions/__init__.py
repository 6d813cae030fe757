"""What a price decision and a played day are, and the rules in words."""
