"""Results as one HTML file that needs nothing else: `ordbench report`."""
