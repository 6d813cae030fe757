"""The commands of `shelfprice`, one module per stage of the way of the data."""
