//! What a pool writes to its users. Templates are data: `{####}` and `{username}` are replaced, nothing is compiled.

mod delivery;
mod template;

use homeport_core::Timestamp;
use homeport_service::Cx;
use homeport_service::needs::{Channel, Message, met};

pub(crate) use delivery::{CodeDeliveryDetails, Destination, simulated};

use crate::CognitoIdp;
use crate::codes::Purpose;
use crate::error::IdpError;
use crate::records::{Pool, User};
use template::{Filled, fill};

/// Sends a code. It is in the outbox, or with the mail server, when this returns.
pub(crate) async fn send_code(
    cx: &Cx<CognitoIdp>,
    pool: &Pool,
    user: &User,
    purpose: &Purpose,
    destination: &Destination,
    code: &str,
) -> Result<(), IdpError> {
    let settings = &pool.settings;
    let template = settings.verification_message_template.clone().unwrap_or_default();
    let default = match purpose {
        Purpose::Reset => "Your password reset code is {####}",
        Purpose::SignUp | Purpose::Attribute(_) => "Your verification code is {####}",
    };
    let (subject, text) = match destination.channel() {
        Channel::Email => (
            template.email_subject.or_else(|| settings.email_verification_subject.clone()),
            template.email_message.or_else(|| settings.email_verification_message.clone()),
        ),
        Channel::Sms => (None, template.sms_message.or_else(|| settings.sms_verification_message.clone())),
    };
    let subject = subject.unwrap_or_else(|| "Your verification code".into());
    let good_until = Some(cx.now().plus_seconds(purpose.life_seconds(pool.has_strict_codes())));
    let text = text.unwrap_or_else(|| default.into());
    send(cx, pool, user, destination, Text { subject: &subject, text: &text, code, good_until }).await
}

/// Sends a temporary password to somebody whom an administrator invited.
pub(crate) async fn send_invitation(
    cx: &Cx<CognitoIdp>,
    pool: &Pool,
    user: &User,
    destination: &Destination,
    password: &str,
) -> Result<(), IdpError> {
    let config = pool.settings.admin_create_user_config.clone().unwrap_or_default();
    let template = config.invite_message_template.unwrap_or_default();
    let text = match destination.channel() {
        Channel::Email => template.email_message,
        Channel::Sms => template.sms_message,
    };
    let default = "Your username is {username} and temporary password is {####}.";
    let subject = template.email_subject.unwrap_or_else(|| "Your temporary password".into());
    let text = text.unwrap_or_else(|| default.into());
    let text = Text { subject: &subject, text: &text, code: password, good_until: None };
    send(cx, pool, user, destination, text).await
}

/// The work of sending, where there is nobody to send to.
pub(crate) async fn pretend_to_send(cx: &Cx<CognitoIdp>) -> Result<(), IdpError> {
    Ok(met(&cx.service.parts.needs.send_message, "SendMessage")?.pretend().await?)
}

/// What is sent, before names and codes are put in.
struct Text<'a> {
    subject: &'a str,
    text: &'a str,
    code: &'a str,
    good_until: Option<Timestamp>,
}

async fn send(
    cx: &Cx<CognitoIdp>,
    pool: &Pool,
    user: &User,
    destination: &Destination,
    text: Text<'_>,
) -> Result<(), IdpError> {
    let Text { subject, text, code, good_until } = text;
    let Filled { subject, body, html } = fill(destination.channel(), subject, text, &user.username, code);
    let message = Message {
        channel: destination.channel(),
        to: destination.address.clone(),
        subject,
        body,
        html,
        code: Some(code.to_owned()),
        user_pool_id: Some(pool.pool.id.clone()),
        username: Some(user.username.clone()),
        good_until,
    };
    let sender = met(&cx.service.parts.needs.send_message, "SendMessage")?;
    Ok(sender.send(message).await?)
}
