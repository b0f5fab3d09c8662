//! Pages of lists: how many, and where the next begins. What goes out as a token is sealed, so that no forged one comes in.

use homeport_vault::{Place, Purpose, Sealed, Vault};

use crate::error::IdpError;

/// Most items of a page, unless an operation says otherwise.
pub(crate) const PAGE: usize = 60;

/// The size of a page that was asked for.
pub(crate) fn limit(asked: Option<usize>) -> usize {
    asked.filter(|limit| *limit > 0).unwrap_or(PAGE).min(PAGE)
}

/// A cursor as a token; `list` names what is listed.
pub(crate) fn token(vault: &Vault, list: &str, cursor: Option<&[u8]>) -> Result<Option<String>, IdpError> {
    let Some(cursor) = cursor else {
        return Ok(None);
    };
    Ok(Some(vault.seal(Purpose::Tokens, &place(list), cursor)?.to_text()))
}

/// The cursor in a token of the same list.
pub(crate) fn cursor(vault: &Vault, list: &str, token: Option<&str>) -> Result<Option<Vec<u8>>, IdpError> {
    let Some(token) = token else {
        return Ok(None);
    };
    let invalid = || IdpError::invalid("Invalid pagination token given.");
    let sealed = Sealed::parse(token).map_err(|_| invalid())?;
    let opened = vault.open_as(Purpose::Tokens, &place(list), &sealed).map_err(|_| invalid())?;
    Ok(Some(opened.expose().to_vec()))
}

fn place(list: &str) -> Place<'_> {
    Place { collection: "cognito-idp.page", key: list.as_bytes(), field: "cursor" }
}
