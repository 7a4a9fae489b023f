"""What `neurodecode.encoders.MindBridge` is made of."""
