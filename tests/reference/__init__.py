"""Plain definitions of what the native core computes: slow, short, compared with it on generated inputs."""
