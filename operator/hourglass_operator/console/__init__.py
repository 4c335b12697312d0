"""What all commands share: how they end, and how texts of a cluster or a file reach a terminal."""
