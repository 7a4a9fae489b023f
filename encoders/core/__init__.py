"""What all encoders share: base class, fitting, batches, layers, losses, the solver of ridges."""
