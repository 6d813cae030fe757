"""Days that a store of the twin sells tick by tick, at a pace that people can follow and change."""
