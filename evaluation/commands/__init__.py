"""The commands that compare: policies, whole learners, and how changes of demand are seen."""
