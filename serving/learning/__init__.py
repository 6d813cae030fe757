"""The belief in the middle of a day, and which prices are tried."""
