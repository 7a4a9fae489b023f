"""What `neurodecode.encoders.Ridge` and its kin are made of."""
