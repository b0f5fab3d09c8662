use homeport_service::Cx;
use zeroize::Zeroizing;

use super::attempt::{self, Attempt};
use super::finish::{self, Proof};
use super::subject::{self, Subject, open_credential};
use super::{Parameters, Progress, required};
use crate::CognitoIdp;
use crate::error::IdpError;
use crate::lookup::check_secret_hash;
use crate::password::{MAX_CHARACTERS, PasswordHash};
use crate::records::{Client, Pool, User};

/// `USER_PASSWORD_AUTH` and its administrators' form.
pub(crate) async fn sign_in_with_password(
    cx: &Cx<CognitoIdp>,
    pool: &Pool,
    client: &Client,
    parameters: &Parameters,
) -> Result<Progress, IdpError> {
    let name = required(parameters, "USERNAME")?;
    let hash = parameters.get("SECRET_HASH").map(String::as_str);
    check_secret_hash(&cx.service.parts.vault, client, &[name], hash)?;
    let password = required(parameters, "PASSWORD")?;
    let subject = subject::find(cx, pool, name).await?;
    if !client.hides_users() && matches!(subject, Subject::Stranger(_)) {
        return Err(IdpError::NoSuchUser);
    }
    let (user, attempt) = verify(cx, pool, &subject, password).await?;
    finish::after_password(cx, pool, client, Proof { user, attempt, uses: None }).await
}

/// Checks a user's own password once more, as `ChangePassword` asks.
pub(crate) async fn check_password(
    cx: &Cx<CognitoIdp>,
    pool: &Pool,
    user: User,
    password: &str,
) -> Result<User, IdpError> {
    let (user, attempt) = verify(cx, pool, &Subject::Known(Box::new(user)), password).await?;
    attempt.give_back_address(cx).await?;
    Ok(user)
}

/// Takes an attempt, then looks at the password, at the same cost whoever it is.
async fn verify(
    cx: &Cx<CognitoIdp>,
    pool: &Pool,
    subject: &Subject,
    password: &str,
) -> Result<(User, Attempt), IdpError> {
    if password.chars().count() > MAX_CHARACTERS {
        return Err(IdpError::wrong_password());
    }
    let attempt = attempt::take(cx, pool, subject, None).await?;
    let vault = &cx.service.parts.vault;
    let credential = match subject {
        Subject::Known(user) => match &user.credential {
            Some(sealed) => Some(open_credential(vault, user, sealed)?),
            None => None,
        },
        Subject::Stranger(_) => None,
    };
    let password = Zeroizing::new(password.to_owned());
    let judged = cx
        .service
        .permits
        .run(move || match credential {
            Some(credential) => credential.hash.is_of(&password),
            None => {
                PasswordHash::check_nothing(&password);
                false
            }
        })
        .await;
    match (judged, subject) {
        (Ok(true), Subject::Known(user)) => Ok((User::clone(user), attempt)),
        (Ok(_), _) => Err(IdpError::wrong_password()),
        (Err(busy), _) => {
            attempt.give_back(cx, pool, subject).await?;
            Err(busy.into())
        }
    }
}
