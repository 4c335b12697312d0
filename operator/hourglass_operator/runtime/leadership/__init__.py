"""Leadership: which replica writes, and when."""
