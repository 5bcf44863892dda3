"""Images to features: decoded, encoded once, cached."""
