"""The pages of the monitor, one module each; a module that defines `PAGE` is a page and needs no other registration."""
