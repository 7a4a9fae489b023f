"""Readers of public layouts; each says where the data come from and how to obtain them."""
