"""Studies: what hiding parts of a face costs, how models compare, where an answer comes from."""
