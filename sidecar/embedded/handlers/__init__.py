"""What a broker does with each request: one module a family, gathered in `table`."""
