"""Simulated recordings of simulated people who look at scenes, with known truth."""
