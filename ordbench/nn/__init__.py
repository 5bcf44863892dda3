"""Parts that heads share: layers and losses."""
