"""The pages of the monitor, each with its cards beside it."""
