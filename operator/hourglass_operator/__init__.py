"""The Hourglass Performer operator."""
