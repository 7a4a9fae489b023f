"""What `neurodecode.encoders.Glim` is made of."""
