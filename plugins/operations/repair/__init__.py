"""What the doctor finds and mends."""
