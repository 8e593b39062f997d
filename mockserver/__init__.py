"""The simulated ACR: its wires, its state and the writer of the journal."""
