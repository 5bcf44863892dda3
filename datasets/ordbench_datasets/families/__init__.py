"""What several datasets have in common; a dataset of a package of your own may use it too."""
