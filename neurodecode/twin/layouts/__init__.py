"""Simulated recordings in the layouts of public data sets, one module a data set."""
