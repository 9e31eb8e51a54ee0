"""stockflow mcp: the defined numbers, for assistants that speak the Model Context Protocol. It only reads."""
