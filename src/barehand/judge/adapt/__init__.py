"""Call adapters: how a spec's inputs become calls of what somebody wrote, and the results become the spec's outputs."""
