"""Taking a file apart: cells, statements, who needs whom, and what each definition says of itself."""
