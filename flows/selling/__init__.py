"""A store that sells tick by tick: its prices, its shoppers, and who may tell it to pause or stop."""
