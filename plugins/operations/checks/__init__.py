"""How the store is: checks of lake, sales, models and services."""
