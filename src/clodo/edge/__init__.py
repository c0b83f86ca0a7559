"""The model inside a Worker: WebAssembly kernels, what is built from a model, and how it is served."""
