"""Learn from units sold alone: the belief, the prices that it draws, and what both brought."""
