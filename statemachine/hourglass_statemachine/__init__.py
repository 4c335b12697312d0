"""The life of a Performer as an explicit state machine: facts in, phase and conditions out."""
