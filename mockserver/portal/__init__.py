"""Data files as the NRDR portal takes them: uploaded by a person, judged row by row, loaded like a transaction (facts N3.1)."""
