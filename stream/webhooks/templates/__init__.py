"""Templates that come with the product: one readable file each, to use as it is or to copy and change."""
