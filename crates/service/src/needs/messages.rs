use std::fmt;

use homeport_core::{BoxFuture, Timestamp};

/// How a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// By e-mail.
    Email,
    /// By SMS.
    Sms,
}

/// One message to one person. Its body may hold a code or a password, so it has no `Debug` of its content.
#[derive(Clone)]
pub struct Message {
    /// E-mail or SMS.
    pub channel: Channel,
    /// One address or phone number, without control characters.
    pub to: String,
    /// The subject, for e-mail.
    pub subject: String,
    /// The text.
    pub body: String,
    /// Whether the body is HTML.
    pub html: bool,
    /// The bare code or temporary password in it, for `homeport outbox --code`.
    pub code: Option<String>,
    /// The user pool it comes from.
    pub user_pool_id: Option<String>,
    /// The user's name in that pool.
    pub username: Option<String>,
    /// When its code ends: after that nobody needs it, and it isn't sent any more. None where that is days away.
    pub good_until: Option<Timestamp>,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({:?})", self.channel)
    }
}

/// Why a message was not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotSent {
    /// The address isn't one address, or has control characters.
    #[error("the destination is not valid")]
    Destination,
    /// Too many wait for the mail server, or the store did not take it.
    #[error("the message could not be delivered: {0}")]
    Delivery(String),
}

/// Message → the mail server's queue, or the sealed outbox.
pub trait SendMessage: Send + Sync {
    /// Takes the message; it is in the outbox, or durably on its way to the mail server, when this returns.
    fn send<'a>(&'a self, message: Message) -> BoxFuture<'a, Result<(), NotSent>>;

    /// The work of taking a message, for nobody: how long a call takes must not tell whether there is a user.
    /// It fails where [`Self::send`] would: that must not tell either.
    fn pretend<'a>(&'a self) -> BoxFuture<'a, Result<(), NotSent>>;
}
