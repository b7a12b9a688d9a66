"""One attempt to deliver, over HTTP: signed, to addresses that may be dialled alone."""
