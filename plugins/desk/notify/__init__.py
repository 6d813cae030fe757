"""Messages to people: where they go, the digest of each morning, and the log of what was sent."""
