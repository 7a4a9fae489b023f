"""What `neurodecode.encoders.SharedSpace` is made of."""
