use std::borrow::Cow;
use std::fmt;

/// Whose mistake it was: the `Type` of Query errors, and the class of the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The caller's (4xx).
    Sender,
    /// Ours (5xx).
    Receiver,
}

/// A refusal in AWS's words: what the client reads. What the server's log reads is `cause`, a field of its own.
#[derive(Clone, PartialEq)]
pub struct Fault {
    /// AWS's code, such as `ResourceNotFoundException`.
    pub code: Cow<'static, str>,
    /// The HTTP status.
    pub status: u16,
    /// AWS's message.
    pub message: String,
    /// Further members of the error's shape, such as `Item` of `ConditionalCheckFailedException`: (name, JSON).
    pub members: Vec<(&'static str, String)>,
    /// For the server's own log; never sent.
    pub cause: Option<String>,
}

impl Fault {
    /// A fault of the sender's, with status 400 where AWS states no other.
    pub fn sender(code: &'static str, message: impl Into<String>) -> Self {
        Self::with_status(code, 400, message)
    }

    /// A fault with a status of its own.
    pub fn with_status(code: impl Into<Cow<'static, str>>, status: u16, message: impl Into<String>) -> Self {
        Self { code: code.into(), status, message: message.into(), members: Vec::new(), cause: None }
    }

    /// Something broke here: the client learns no more than that; the log gets the cause.
    pub fn internal(cause: impl fmt::Display) -> Self {
        let mut fault = Self::with_status("InternalFailure", 500, "An internal error occurred.");
        fault.cause = Some(cause.to_string());
        fault
    }

    /// The same fault with a cause for the log.
    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// The same fault with a further member; `json` is its value, encoded.
    #[must_use]
    pub fn with_member(mut self, name: &'static str, json: impl Into<String>) -> Self {
        self.members.push((name, json.into()));
        self
    }

    /// Whose mistake it was, by status.
    pub fn blame(&self) -> Blame {
        if self.status >= 500 { Blame::Receiver } else { Blame::Sender }
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.code, self.status, self.message)?;
        match &self.cause {
            Some(cause) => write!(f, " [{cause}]"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Fault {}
