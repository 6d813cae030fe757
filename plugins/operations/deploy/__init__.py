"""How Shelfprice is run on more than one machine: containers, Kubernetes, and all of it on this machine."""
