"""What `neurodecode.encoders.ForwardRidge` is made of."""
