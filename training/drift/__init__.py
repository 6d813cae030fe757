"""Whether demand still answers prices as the champion says."""
