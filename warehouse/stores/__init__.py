"""TODO warehouse/stores."""
