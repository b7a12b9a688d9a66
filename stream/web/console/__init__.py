"""The console: pages for a browser over what a worker answers, who is asking, and what operators want to see."""
