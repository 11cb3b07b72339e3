"""Who writes rules: the editor, the matrix, a file; and whether what they write is valid."""
