"""What people see in a terminal: the only package that imports rich."""
