"""The process: signals, settings, exit codes, probes, metrics and logs."""
