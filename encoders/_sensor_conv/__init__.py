"""What `neurodecode.encoders.SensorConv` is made of."""
