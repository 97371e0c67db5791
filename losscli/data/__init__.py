"""Files and arrays → aligned columns: references, one reader a format, alignment and checks."""
