"""What the screens say: pure functions from the model and a moment to lines of text."""
