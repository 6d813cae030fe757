"""Where the bytes of a lake are: the protocol of a store, and a plain folder."""
