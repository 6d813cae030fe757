"""How purchases respond to prices that somebody else set, and whether that can be told from other causes."""
