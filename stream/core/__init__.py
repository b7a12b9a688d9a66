"""The pure core: lifecycles, customers and the one function that steps them. No I/O, no clock."""
