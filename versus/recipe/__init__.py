"""What all competitors are told: conventions, random draws, pixels, weights."""
