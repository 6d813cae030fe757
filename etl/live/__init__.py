"""A day that is sold tick by tick: its rows in the lake, the player, and the calendar."""
