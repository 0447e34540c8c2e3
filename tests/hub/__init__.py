"""A stand-in of the model hub on the loopback, with repositories in the layout of the real ones."""
