"""Where images come from, folders, videos, cameras and streams, and what is seen over time."""
