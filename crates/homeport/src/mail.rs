use std::sync::Arc;
use std::time::Duration;

use homeport_core::BoxFuture;
use homeport_service::needs::{Channel, Message, NotSent, SendMessage};
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use crate::config::{Smtp, SmtpSecurity};
use crate::environment::Environment;
use crate::error::ProgramError;
use crate::outbox::Outbox;

/// How long the mail server may take for one message.
const PATIENCE: Duration = Duration::from_secs(10);

/// Takes messages: e-mail to the mail server where one is configured, everything else into the outbox.
pub(crate) struct Mail {
    outbox: Arc<Outbox>,
    server: Option<Server>,
}

struct Server {
    from: Mailbox,
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

impl Mail {
    pub(crate) fn new(
        smtp: &Smtp,
        environment: &Environment,
        outbox: Arc<Outbox>,
    ) -> Result<Self, ProgramError> {
        let server = smtp.host.as_deref().map(|host| Server::new(host, smtp, environment)).transpose()?;
        Ok(Self { outbox, server })
    }
}

impl Server {
    fn new(host: &str, smtp: &Smtp, environment: &Environment) -> Result<Self, ProgramError> {
        type Transport = AsyncSmtpTransport<Tokio1Executor>;
        let refused =
            |error: lettre::transport::smtp::Error| ProgramError::Refused(format!("smtp.host: {error}"));
        let mut builder = match smtp.security {
            SmtpSecurity::StartTls => Transport::starttls_relay(host).map_err(refused)?,
            SmtpSecurity::Tls => Transport::relay(host).map_err(refused)?,
            SmtpSecurity::None => Transport::builder_dangerous(host),
        };
        if let Some(port) = smtp.port {
            builder = builder.port(port);
        }
        if let Some(user) = &smtp.user {
            builder = builder.credentials(Credentials::new(user.clone(), password(smtp, environment)?));
        }
        let from = smtp.from.as_deref().unwrap_or_default().parse();
        let from = from.map_err(|_| ProgramError::Refused("smtp.from: not a mail address".to_owned()))?;
        Ok(Self { from, transport: builder.timeout(Some(PATIENCE)).build() })
    }

    async fn send(&self, message: &Message) -> Result<(), NotSent> {
        // A bare address alone: a display name could smuggle a second one past the eye.
        let to = message.to.parse::<lettre::Address>().map_err(|_| NotSent::Destination)?;
        let content = if message.html { ContentType::TEXT_HTML } else { ContentType::TEXT_PLAIN };
        let built = MessageBuilder::new()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(message.subject.clone())
            .header(content)
            .body(message.body.clone());
        let mail = built.map_err(|error| NotSent::Delivery(error.to_string()))?;
        let sent = self.transport.send(mail).await;
        sent.map(|_| ()).map_err(|error| NotSent::Delivery(error.to_string()))
    }
}

fn password(smtp: &Smtp, environment: &Environment) -> Result<String, ProgramError> {
    if let Some(path) = &smtp.password_file {
        let read = std::fs::read_to_string(path);
        let text = read.map_err(|source| ProgramError::File { path: path.clone(), source })?;
        return Ok(text.trim_end_matches(['\r', '\n']).to_owned());
    }
    let secret = environment.secret("HOMEPORT_SMTP_PASSWORD");
    let text = secret.as_ref().and_then(|secret| secret.expose_text());
    text.map(str::to_owned).ok_or_else(|| {
        ProgramError::Refused(
            "smtp.user: its password is needed, by smtp.password_file or HOMEPORT_SMTP_PASSWORD".to_owned(),
        )
    })
}

/// Security decision 28: one line, and nothing that a header could be broken with.
fn is_plain(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

impl SendMessage for Mail {
    fn send<'a>(&'a self, message: Message) -> BoxFuture<'a, Result<(), NotSent>> {
        Box::pin(async move {
            if message.to.is_empty() || !is_plain(&message.to) || !is_plain(&message.subject) {
                return Err(NotSent::Destination);
            }
            match (&self.server, message.channel) {
                (Some(server), Channel::Email) => server.send(&message).await,
                _ => self.outbox.keep(message).await.map_err(|error| NotSent::Delivery(error.to_string())),
            }
        })
    }
}
