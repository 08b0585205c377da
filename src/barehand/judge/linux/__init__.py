"""Walls that Linux keeps around a child: Landlock, seccomp and namespaces, each by a few calls of the kernel."""
