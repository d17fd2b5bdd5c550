"""The right panel: sampling, model, prompt."""
