"""The price book: a policy worked out for every stock level and every time left, so that a quote is a look-up."""
