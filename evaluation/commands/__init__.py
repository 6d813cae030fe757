"""The commands that compare: policies, whole learners, trials, and how changes of demand are seen."""
