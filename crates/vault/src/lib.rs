//! homeport-vault.
