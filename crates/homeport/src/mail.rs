//! Where messages go: mail into the mail server's queue where one is configured, everything else into the outbox.

mod queue;
mod server;

use std::sync::Arc;

use homeport_core::BoxFuture;
use homeport_service::Parts;
use homeport_service::needs::{Channel, GoneUser, Message, NotSent, SendMessage, UserGone};
use homeport_store::{StoreError, Tx};

use crate::config::Smtp;
use crate::duty::Held;
use crate::environment::Environment;
use crate::error::ProgramError;
use crate::outbox::{Outbox, OutboxError};
use queue::{Envelope, Queue};
use server::MailServer;

/// Takes messages.
pub(crate) struct Mail {
    outbox: Arc<Outbox>,
    server: Option<(Queue, MailServer)>,
}

impl Mail {
    pub(crate) fn new(
        parts: &Parts,
        smtp: &Smtp,
        environment: &Environment,
        outbox: Arc<Outbox>,
    ) -> Result<Self, ProgramError> {
        let server = smtp.host.as_deref().map(|host| MailServer::new(host, smtp, environment)).transpose()?;
        Ok(Self { outbox, server: server.map(|server| (Queue::new(parts), server)) })
    }

    /// Sends what is in the queue, as long as this node may.
    pub(crate) async fn deliver(&self, held: &Held) {
        match &self.server {
            Some((queue, server)) => queue.deliver(server, held).await,
            None => std::future::pending().await,
        }
    }

    /// Fills indexes that an earlier program did not have yet.
    pub(crate) async fn build_indexes(&self) -> Result<(), StoreError> {
        self.outbox.build_indexes().await?;
        match &self.server {
            Some((queue, _)) => queue.build_indexes().await,
            None => Ok(()),
        }
    }

    async fn forget(&self, tx: &Tx, user: &GoneUser) -> Result<(), StoreError> {
        Outbox::forget(tx, user).await?;
        match &self.server {
            Some((queue, _)) => queue.forget(tx, user).await,
            None => Ok(()),
        }
    }

    async fn take(&self, message: Message) -> Result<(), NotSent> {
        if message.to.is_empty() || !is_plain(&message.to) || !is_plain(&message.subject) {
            return Err(NotSent::Destination);
        }
        let (Some((queue, _)), Channel::Email) = (&self.server, message.channel) else {
            return self.outbox.keep(message).await.map_err(|error| NotSent::Delivery(error.to_string()));
        };
        server::address(&message.to)?;
        let Message { to, subject, body, html, good_until, user_pool_id, username, .. } = message;
        let envelope = Envelope { good_until, user: user_pool_id.zip(username) };
        taken(queue.take(&queue::Mail { to, subject, body, html }, envelope).await)
    }

    async fn pretend_to_take(&self) -> Result<(), NotSent> {
        match &self.server {
            Some((queue, _)) => taken(queue.pretend().await),
            None => taken(self.outbox.pretend().await.map(Some)),
        }
    }
}

fn taken(outcome: Result<Option<()>, OutboxError>) -> Result<(), NotSent> {
    match outcome {
        Ok(Some(())) => Ok(()),
        Ok(None) => Err(NotSent::Delivery("too many mails wait for the mail server".to_owned())),
        Err(error) => Err(NotSent::Delivery(error.to_string())),
    }
}

/// Security decision 28: one line, and nothing that a header could be broken with.
fn is_plain(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

impl SendMessage for Mail {
    fn send<'a>(&'a self, message: Message) -> BoxFuture<'a, Result<(), NotSent>> {
        Box::pin(self.take(message))
    }

    fn pretend<'a>(&'a self) -> BoxFuture<'a, Result<(), NotSent>> {
        Box::pin(self.pretend_to_take())
    }
}

impl UserGone for Mail {
    fn user_gone<'a>(&'a self, tx: &'a Tx, user: &'a GoneUser) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.forget(tx, user))
    }
}
