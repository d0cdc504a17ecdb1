"""Train the same classifier in Keras and in PyTorch, and say how and why they differ."""
