"""How sure a difference between two methods is, and how many seeds it takes to be sure."""
