"""Where images come from: folders of files."""
