"""The vendor who sends documents to the clinical decision support registry: the reference, and broken ones."""
