"""Other systems: the quote API, export to tills and labels and what they acknowledge, and the intake of sales."""
