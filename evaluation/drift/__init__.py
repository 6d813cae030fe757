"""A scorecard of scripted changes in demand: when each is seen, and what it costs."""
