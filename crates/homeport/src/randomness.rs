use homeport_core::Randomness;

/// The operating system's randomness.
pub(crate) struct OsRandomness;

impl Randomness for OsRandomness {
    fn fill(&self, bytes: &mut [u8]) {
        if getrandom::fill(bytes).is_err() {
            // Whatever went on without randomness would hand out keys that can be guessed.
            std::process::abort();
        }
    }
}

/// Lets the cryptographic library seed its own generator beside the start: it times the processor's jitter for that,
/// which takes some thirty milliseconds, and the first key or handshake would wait for it.
pub(crate) fn seed_library() {
    let seeding = || {
        // Failing here is failing again, and told, where the library is needed.
        _ = aws_lc_rs::rand::fill(&mut [0]);
    };
    // Without a thread the first use seeds it.
    _ = std::thread::Builder::new().name("seed".to_owned()).spawn(seeding);
}
