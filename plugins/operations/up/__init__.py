"""Running all services as one foreground group: what they are, how they are started, watched and stopped."""
