"""The build of today against that of another commit: in turn, on one broker, with the same interactions."""
