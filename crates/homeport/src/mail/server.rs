use std::time::Duration;

use homeport_service::needs::NotSent;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use super::queue::Mail;
use crate::config::{Smtp, SmtpSecurity};
use crate::environment::Environment;
use crate::error::ProgramError;

/// How long the mail server may take for one answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The operator's mail server.
pub(super) struct MailServer {
    from: Mailbox,
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

/// Why the mail server has not taken a mail.
pub(super) enum Undelivered {
    /// It may later: it was not reached, or said so (4xx).
    ForNow(String),
    /// It never will (5xx).
    ForGood(String),
}

impl MailServer {
    pub(super) fn new(host: &str, smtp: &Smtp, environment: &Environment) -> Result<Self, ProgramError> {
        let (port, tls) = match smtp.security {
            SmtpSecurity::StartTls => (587, Tls::Required(tls(host, smtp)?)),
            SmtpSecurity::Tls => (465, Tls::Wrapper(tls(host, smtp)?)),
            SmtpSecurity::None => (25, Tls::None),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(smtp.port.unwrap_or(port))
            .tls(tls)
            .timeout(Some(PATIENCE));
        if let Some(user) = &smtp.user {
            builder = builder.credentials(Credentials::new(user.clone(), password(smtp, environment)?));
        }
        let from = smtp.from.as_deref().unwrap_or_default().parse();
        let from = from.map_err(|_| ProgramError::Refused("smtp.from: not a mail address".to_owned()))?;
        Ok(Self { from, transport: builder.build() })
    }

    /// One that nobody reaches.
    #[cfg(test)]
    pub(super) fn nowhere() -> Self {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1").port(1).build();
        Self { from: Mailbox::new(None, Address::new("homeport", "example.com").unwrap()), transport }
    }

    pub(super) async fn send(&self, mail: &Mail) -> Result<(), Undelivered> {
        let to = address(&mail.to).map_err(|error| Undelivered::ForGood(error.to_string()))?;
        let content = if mail.html { ContentType::TEXT_HTML } else { ContentType::TEXT_PLAIN };
        let built = MessageBuilder::new()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(mail.subject.clone())
            .header(content)
            .body(mail.body.clone())
            .map_err(|error| Undelivered::ForGood(error.to_string()))?;
        self.transport.send(built).await.map(|_| ()).map_err(|error| match is_final(&error) {
            true => Undelivered::ForGood(told(&error)),
            false => Undelivered::ForNow(told(&error)),
        })
    }
}

/// Whether the server refused this mail. That it refuses us (RFC 4954's codes) the operator can mend.
fn is_final(error: &lettre::transport::smtp::Error) -> bool {
    let code = error.status().map(|code| code.to_string());
    error.is_permanent() && !matches!(code.as_deref(), Some("530" | "534" | "535" | "538"))
}

/// The error with what it stems from: what the server answered, or what is wrong with its certificate.
fn told(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// A bare address alone: a display name could smuggle a second one past the eye.
pub(super) fn address(text: &str) -> Result<Address, NotSent> {
    text.parse().map_err(|_| NotSent::Destination)
}

/// What the server's certificate is checked against: the system's roots, and the operator's own.
fn tls(host: &str, smtp: &Smtp) -> Result<TlsParameters, ProgramError> {
    let refused = |error: lettre::transport::smtp::Error| ProgramError::Refused(format!("smtp: {error}"));
    let mut parameters = TlsParameters::builder(host.to_owned());
    if let Some(path) = &smtp.ca_file {
        let pem = std::fs::read(path).map_err(|source| ProgramError::File { path: path.clone(), source })?;
        parameters = parameters.add_root_certificate(Certificate::from_pem(&pem).map_err(refused)?);
    }
    parameters.build().map_err(refused)
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
