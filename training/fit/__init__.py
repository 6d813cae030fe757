"""From the days of a lake to fitted candidates."""
