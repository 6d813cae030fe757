"""Learners from the literature that begin without a log, to be played beside the product on the same shoppers."""
