use homeport_core::Randomness;

/// This run of the program, among others on the same store.
#[derive(Clone)]
pub(crate) struct Node([u8; 16]);

impl Node {
    /// A new one for each start.
    pub(crate) fn draw(randomness: &dyn Randomness) -> Self {
        let mut id = [0; 16];
        randomness.fill(&mut id);
        Self(id)
    }

    /// Its number.
    pub(crate) fn id(&self) -> [u8; 16] {
        self.0
    }

    /// Thirty-two hexadecimal digits: who holds a lease.
    pub(crate) fn name(&self) -> String {
        hex::encode(self.0)
    }
}
