"""What commands write as one page for a browser, which asks nobody anything."""
