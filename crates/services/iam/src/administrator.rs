//! The one principal of a new installation: a user like any other, with random keys.

use homeport_core::{BASE32, UPPER_ALPHANUMERIC, draw};
use homeport_service::{Principal, bump_authorization};
use homeport_store::Tx;
use homeport_vault::{Sealed, Secret};

use crate::Iam;
use crate::access_keys::{PURPOSE, draw_secret, place, principal_of};
use crate::entities;
use crate::error::IamError;
use crate::managed;
use crate::records::{ACCESS_KEYS, AccessKey, Details, ENTITIES, Entity, Kind, count_key, within};

/// The administrator's user name.
pub const ADMINISTRATOR: &str = "administrator";
const ADMINISTRATOR_ACCESS: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// The keys that `homeport credentials` prints.
#[derive(Debug)]
pub struct AdministratorKeys {
    /// `AKIA` + 16.
    pub access_key_id: String,
    /// 40 characters.
    pub secret_access_key: Secret,
}

/// A key that is drawn and sealed, not yet stored.
struct Drawn {
    id: String,
    secret: String,
    sealed: Sealed,
}

impl Iam {
    /// Makes the administrator in an account that never had a user; false where there was one before.
    pub async fn ensure_administrator(&self) -> Result<bool, IamError> {
        let (drawn, now) = (&self.draw_key()?, self.clock.now());
        let user = &Entity {
            account: self.account,
            kind: Kind::User,
            name: ADMINISTRATOR.to_owned(),
            path: "/".to_owned(),
            id: format!("AIDA{}", draw(&*self.randomness, UPPER_ALPHANUMERIC, 17)),
            created: now,
            tags: Default::default(),
            boundary: None,
            attached: vec![ADMINISTRATOR_ACCESS.to_owned()],
            details: Details::User { groups: Vec::new() },
        };
        self.store
            .write(|tx| async move {
                if tx.get_i64(&count_key(self.account, Kind::User.noun())).await?.is_some() {
                    return Ok(false);
                }
                entities::create(&tx, user).await?;
                managed::count_attachment(&tx, self.account, ADMINISTRATOR_ACCESS, 1)?;
                self.store_key(&tx, user, drawn).await?;
                Ok(true)
            })
            .await
    }

    /// The administrator as a principal; none once somebody deleted that user.
    pub async fn administrator(&self) -> Result<Option<Principal>, IamError> {
        let user = self.store.read(|tx| async move { self.find_administrator(&tx).await }).await?;
        Ok(user.as_ref().map(principal_of))
    }

    /// The administrator's newest active key; none where there is none any more.
    pub async fn administrator_keys(&self) -> Result<Option<AdministratorKeys>, IamError> {
        let newest = self
            .store
            .read(|tx| async move {
                let Some(user) = self.find_administrator(&tx).await? else { return Ok::<_, IamError>(None) };
                let keys =
                    ACCESS_KEYS.page_by(&tx, "user", within(self.account, &user.id), None, 100).await?;
                Ok(keys.records.into_iter().filter(|key| key.active).max_by_key(|key| key.created))
            })
            .await?;
        let opened = newest.map(|key| {
            let secret_access_key = self.vault.open(&place(&key.id), &key.secret)?;
            Ok(AdministratorKeys { access_key_id: key.id.clone(), secret_access_key })
        });
        opened.transpose()
    }

    /// Gives the administrator a new key in place of all it had; none once that user is deleted.
    pub async fn rotate_administrator(&self) -> Result<Option<AdministratorKeys>, IamError> {
        let drawn = self.draw_key()?;
        let drawn_ref = &drawn;
        let rotated = self
            .store
            .write(|tx| async move {
                let Some(user) = self.find_administrator(&tx).await? else { return Ok(false) };
                let keys =
                    ACCESS_KEYS.page_by(&tx, "user", within(self.account, &user.id), None, 100).await?;
                for key in keys.records {
                    ACCESS_KEYS.delete(&tx, within(self.account, &key.id)).await?;
                }
                self.store_key(&tx, &user, drawn_ref).await?;
                Ok::<_, IamError>(true)
            })
            .await?;
        let secret_access_key = Secret::new(drawn.secret.into_bytes());
        Ok(rotated.then_some(AdministratorKeys { access_key_id: drawn.id, secret_access_key }))
    }

    async fn find_administrator(&self, tx: &Tx) -> Result<Option<Entity>, IamError> {
        Ok(ENTITIES.get(tx, Entity::key_of(self.account, Kind::User, ADMINISTRATOR)).await?)
    }

    fn draw_key(&self) -> Result<Drawn, IamError> {
        let id = format!("AKIA{}", draw(&*self.randomness, BASE32, 16));
        let secret = draw_secret(&*self.randomness);
        let sealed = self.vault.seal(PURPOSE, &place(&id), secret.as_bytes())?;
        Ok(Drawn { id, secret, sealed })
    }

    async fn store_key(&self, tx: &Tx, user: &Entity, drawn: &Drawn) -> Result<(), IamError> {
        let key = AccessKey {
            account: self.account,
            id: drawn.id.clone(),
            user_id: user.id.clone(),
            active: true,
            created: self.clock.now(),
            secret: drawn.sealed.clone(),
        };
        ACCESS_KEYS.insert(tx, &key).await?;
        bump_authorization(tx)?;
        Ok(())
    }
}
