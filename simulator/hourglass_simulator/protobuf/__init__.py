"""Kubernetes' protocol buffers: objects as JSON has them, and as protobuf has them."""
