use std::path::PathBuf;

/// Why a secret can't be sealed or opened, or a key not be used. No variant holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The sealed value belongs to another place, or was altered.
    #[error("a sealed value was altered, or stands where it was not sealed for")]
    Refused,
    /// The text is not a sealed value of a format known here.
    #[error("not a sealed value, or one of a newer version")]
    NotSealed,
    /// The sealed value names a data key that this installation doesn't have.
    #[error("sealed under a key that this installation does not have")]
    UnknownKey,
    /// The text is not a master key.
    #[error(
        "a master key is the Base64 text of 32 random bytes (44 characters, as `openssl rand -base64 32` prints)"
    )]
    NotAMasterKey,
    /// The ring was wrapped under another master key; both are named by their fingerprints.
    #[error("the data was sealed under the master key {expected}, but the key given is {given}")]
    AnotherMasterKey {
        /// Fingerprint of the key the ring was wrapped under.
        expected: String,
        /// Fingerprint of the key that was given.
        given: String,
    },
    /// The ring can't be read: altered, or written by a newer version.
    #[error("the key ring in the store was altered, or written by a newer version")]
    BrokenRing,
    /// There is no key file.
    #[error("there is no key file at {}", path.display())]
    NoKeyFile {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A key file is there already, and a new one must not replace it.
    #[error("there is a key file at {} already", path.display())]
    KeyFileExists {
        /// Where it stands.
        path: PathBuf,
    },
    /// The key file can be read by others than its owner.
    #[error("the key file {} has mode {mode:04o}; it must be readable by its owner alone: chmod 600 {}", path.display(), path.display())]
    KeyFileMode {
        /// Where it stands.
        path: PathBuf,
        /// The permission bits it has.
        mode: u32,
    },
    /// The key file belongs to another user.
    #[error("the key file {} belongs to user {owner}, but this process runs as user {user}", path.display())]
    KeyFileOwner {
        /// Where it stands.
        path: PathBuf,
        /// Its owner's number.
        owner: u32,
        /// This process's number.
        user: u32,
    },
    /// The key file can't be read or written.
    #[error("the key file {}: {source}", path.display())]
    KeyFileIo {
        /// Where it stands.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The cryptographic library failed, which it does for no input of ours.
    #[error("the cryptographic library refused to work")]
    Library,
}
