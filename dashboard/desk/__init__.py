"""The desk: what waits, what people set, and what stands where."""
