"""From the definition in a lifecycle file to a `Lifecycle`, once, when it is loaded."""
