"""Copy a lake as it is at one moment into a plain folder, for programs that read files and know no log."""
