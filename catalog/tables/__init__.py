"""The tables that cross a folder, by what they tell about."""
