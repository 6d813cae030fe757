"""Run it: services, the doctor and its repairs, replay, and how the store is."""
