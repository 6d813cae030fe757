"""What the monitor reads: records and frames from the warehouse."""
