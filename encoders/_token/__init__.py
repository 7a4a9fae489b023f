"""What `neurodecode.encoders.TokenTransformer` is made of."""
