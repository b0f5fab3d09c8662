use homeport_core::Randomness;

/// The operating system's randomness.
pub(crate) struct OsRandomness;

impl Randomness for OsRandomness {
    fn fill(&self, bytes: &mut [u8]) {
        if aws_lc_rs::rand::fill(bytes).is_err() {
            // Whatever went on without randomness would hand out keys that can be guessed.
            std::process::abort();
        }
    }
}
