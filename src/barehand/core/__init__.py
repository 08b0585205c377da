"""What all blocks stand on: arrays and tensors at the door, threads, memory, numerics for kernels, and the spec."""
