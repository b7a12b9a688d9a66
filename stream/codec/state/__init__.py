"""Records of the changelog: customers, positions and the layouts that they are read by."""
