"""What can be said of heads that were run on few seeds and tested on some images: plain arrays."""
