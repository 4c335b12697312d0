"""kubectl, command by command: what it prints on a real cluster and on the simulator."""
