"""Play a past day again from what was in force, and hold every byte against its receipt."""
