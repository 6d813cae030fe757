"""Copy a lake as it is at one moment into a plain folder, for whoever reads files and knows no log."""
