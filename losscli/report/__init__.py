"""Numbers → people and programs: results, signatures, tables and files."""
