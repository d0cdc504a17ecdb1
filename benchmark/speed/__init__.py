"""Which framework is faster, and what the pipeline saves: measured in turn, each time in a process of its own."""
