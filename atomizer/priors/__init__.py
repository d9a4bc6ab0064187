"""Priors: what is predicted about unknown atoms before the network."""
