"""Who moved from stage to stage in the last minute, hour, day…: read from the topic of stage changes."""
