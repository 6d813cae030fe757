"""Switchback trials: two policies take turns in the stores, and the difference comes with an interval."""
