//! The need that other services have of this one: objects put, listed and read behind a call's answer, for whoever asked.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt;
use homeport_blobs::BlobError;
use homeport_core::{BoxFuture, Fault};
use homeport_service::needs::{InBucket, Objects, ObjectsRefused, OpenedObject, PutObject};
use homeport_service::{Authorizer, Body, BoxError, Parts, Permission};
use homeport_store::Tx;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};

use crate::S3;
use crate::checksum::Expected;
use crate::error::S3Error;
use crate::listing::{self, After, MAX_ENTRIES};
use crate::operations::put_object::{self, Described};
use crate::records::{self, Bucket, OBJECTS, object_key};
use crate::request::{MAX_KEY, bucket_arn, object_arn};
use crate::upload::{Intake, MAX_UPLOAD, Uploaded};

/// How often an object that was replaced between finding and opening it is looked for again.
const ATTEMPTS: usize = 8;

/// Meets the need: the service, and who decides.
struct ForServices {
    s3: Arc<S3>,
    parts: Parts,
    authorizer: Authorizer,
}

/// What meets the need `objects`.
pub fn objects(parts: &Parts, s3: &Arc<S3>) -> Arc<dyn Objects> {
    let authorizer = Authorizer::new(parts.needs.clone(), parts.epoch.clone(), parts.installation.account);
    Arc::new(ForServices { s3: s3.clone(), parts: parts.clone(), authorizer })
}

/// Why nothing was done: the caller may not, or S3 itself refuses.
enum Failed {
    Denied(String),
    S3(S3Error),
}

impl<E: Into<S3Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self::S3(error.into())
    }
}

impl From<Failed> for ObjectsRefused {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Denied(message) => {
                Self::Refused { code: "AccessDenied".to_owned(), status: 403, message }
            }
            Failed::S3(error) => {
                let Fault { code, status, message, cause, .. } = Fault::from(error);
                match status {
                    500.. => Self::Unavailable(cause.unwrap_or(message)),
                    _ => Self::Refused { code: code.into_owned(), status, message },
                }
            }
        }
    }
}

/// What is asked of the caller's rights, with what policies can ask of a call that a service makes for somebody.
fn through(permission: Permission, via: &'static str) -> Permission {
    permission
        .with("aws:ViaAWSService", ["true"])
        .with("aws:CalledVia", [via])
        .with("aws:CalledViaFirst", [via])
        .with("aws:CalledViaLast", [via])
}

impl ForServices {
    /// The bucket, if whoever asked may do this to it today.
    async fn bucket(&self, tx: &Tx, place: &InBucket<'_>, permission: Permission) -> Result<Bucket, Failed> {
        let Some(caller) = place.by.today(tx, self.s3.policies_of()?).await? else {
            return Err(Failed::Denied("Access Denied: whoever asked is gone".to_owned()));
        };
        let asked = [through(permission, place.via)];
        let now = self.parts.clock.now();
        if let Err(refusal) = self.authorizer.decide_in(tx, &caller, place.scope, now, &asked).await? {
            tracing::warn!(
                action = refusal.action,
                resource = refusal.resource,
                reason = refusal.reason,
                via = place.via,
                "refused to a service that acts for somebody"
            );
            return Err(Failed::Denied(refusal.message));
        }
        let bucket = records::bucket(tx, place.bucket, None).await?;
        match place.owner {
            Some(owner) if owner != bucket.account.to_string() => {
                Err(Failed::Denied("Access Denied".to_owned()))
            }
            _ => Ok(bucket),
        }
    }

    /// That the session's time has run out ends nothing that was asked for before; that it was ended does.
    async fn check_stands(&self, place: &InBucket<'_>) -> Result<(), Failed> {
        let Some((ends_with, issued)) = place.by.ends_with() else { return Ok(()) };
        match ends_with.stands(&self.parts.needs, issued).await? {
            true => Ok(()),
            false => Err(Failed::Denied("Access Denied: the session of whoever asked was ended".to_owned())),
        }
    }

    async fn put(&self, place: InBucket<'_>, key: &str, body: Body) -> Result<PutObject, Failed> {
        if key.len() > MAX_KEY {
            return Err(S3Error::KeyTooLong.into());
        }
        self.check_stands(&place).await?;
        let permission = &Permission::new("s3:PutObject", object_arn(place.bucket, key))
            .with("s3:x-amz-server-side-encryption", ["AES256"]);
        let place = &place;
        let bucket = &self
            .parts
            .store
            .read(|tx| async move { self.bucket(&tx, place, permission.clone()).await })
            .await?;
        let uploaded = self.receive(body).await?;
        let blob = uploaded.blob.clone();
        let described = Described { sse: true, ..Described::default() };
        let object = &put_object::object(bucket, key, uploaded, described, self.parts.clock.now());
        let written = self.parts.store.write(|tx| async move {
            // The decision and what it rests on belong to the transaction that it permits.
            self.bucket(&tx, place, permission.clone()).await?;
            Ok::<_, Failed>(put_object::replace(&tx, bucket, object, &Default::default()).await?)
        });
        match written.await {
            Ok(old) => {
                self.s3.discard(old).await;
                Ok(PutObject { etag: object.etag.clone(), size: object.size })
            }
            Err(failed) => {
                match &failed {
                    Failed::Denied(_) => self.s3.discard(vec![blob.to_string()]).await,
                    Failed::S3(error) => self.s3.discard_unwritten(blob.as_str(), error).await,
                }
                Err(failed)
            }
        }
    }

    async fn receive(&self, mut body: Body) -> Result<Uploaded, S3Error> {
        let algorithm = Expected::Nothing.algorithm();
        let mut intake = Intake::begin(&self.s3.blobs, &*self.parts.randomness, algorithm).await?;
        let mut size = 0;
        while let Some(frame) = body.frame().await {
            // The body is a service's own, no client's: what breaks it may well go by.
            let frame = frame.map_err(|error| S3Error::Fault(Fault::internal(error)))?;
            let Ok(data) = frame.into_data() else { continue };
            size += data.len() as u64;
            if size > MAX_UPLOAD {
                return Err(S3Error::EntityTooLarge);
            }
            intake.write(data).await?;
        }
        intake.finish(|_, _| Ok(())).await
    }

    async fn list(
        &self,
        place: InBucket<'_>,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<Vec<String>, Failed> {
        self.check_stands(&place).await?;
        let permission =
            &Permission::new("s3:ListBucket", bucket_arn(place.bucket)).with("s3:prefix", [prefix]);
        let asked = &listing::Asked {
            prefix: prefix.to_owned(),
            delimiter: String::new(),
            after: after.map(|key| After::Key(key.to_owned())),
            most: MAX_ENTRIES,
        };
        let place = &place;
        let listed = self.parts.store.read(|tx| async move {
            let bucket = self.bucket(&tx, place, permission.clone()).await?;
            Ok::<_, Failed>(listing::list(&tx, &bucket.generation, asked).await?)
        });
        Ok(listed.await?.objects.into_iter().map(|object| object.key).collect())
    }

    async fn open(&self, place: InBucket<'_>, key: &str) -> Result<OpenedObject, Failed> {
        self.check_stands(&place).await?;
        let permission = &Permission::new("s3:GetObject", object_arn(place.bucket, key));
        let place = &place;
        for _ in 0..ATTEMPTS {
            let found = self.parts.store.read(|tx| async move {
                let bucket = self.bucket(&tx, place, permission.clone()).await?;
                let object = OBJECTS.get(&tx, object_key(&bucket.generation, key)).await?;
                let object = object.ok_or_else(|| S3Error::NoSuchKey { key: key.to_owned() })?;
                let parts = object.parts(&tx).await?;
                Ok::<_, Failed>((object, parts))
            });
            let (object, parts) = found.await?;
            match self.s3.open(&object, &parts, None).await {
                Ok(reader) => {
                    let frames = reader.map_ok(|bytes: Bytes| Frame::data(bytes)).map_err(BoxError::from);
                    let body = StreamBody::new(frames).boxed_unsync();
                    return Ok(OpenedObject { etag: object.etag, body });
                }
                // Replaced or deleted since it was found, and its blob with it.
                Err(BlobError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(S3Error::Blob(BlobError::NotFound).into())
    }
}

impl Objects for ForServices {
    fn put_object<'a>(
        &'a self,
        place: InBucket<'a>,
        key: &'a str,
        body: Body,
    ) -> BoxFuture<'a, Result<PutObject, ObjectsRefused>> {
        Box::pin(async move { Ok(self.put(place, key, body).await?) })
    }

    fn list_objects<'a>(
        &'a self,
        place: InBucket<'a>,
        prefix: &'a str,
        after: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Vec<String>, ObjectsRefused>> {
        Box::pin(async move { Ok(self.list(place, prefix, after).await?) })
    }

    fn open_object<'a>(
        &'a self,
        place: InBucket<'a>,
        key: &'a str,
    ) -> BoxFuture<'a, Result<OpenedObject, ObjectsRefused>> {
        Box::pin(async move { Ok(self.open(place, key).await?) })
    }
}
