"""Node pools that grow for pending pods and shrink again, by themselves."""
