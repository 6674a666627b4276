//! How is a shader of the corpus run: its grid, buffers, inputs and tolerance?
