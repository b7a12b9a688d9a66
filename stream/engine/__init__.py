"""The running worker: its group membership through Faust, and one sequential machine per partition."""
