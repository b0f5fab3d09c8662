//! homeport-edge.
