"""From runs and results to all that the report tells: it asks every part, and forgives each."""
