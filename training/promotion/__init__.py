"""Changes of champion: their history, how one is made, and the prices that come with it."""
