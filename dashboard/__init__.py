"""The monitor: shows what is in the warehouse. It has no pages yet."""
