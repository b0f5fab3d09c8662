use super::given::boolean;
use super::{Section, Setting};

/// Buckets.
#[derive(Clone, Debug)]
pub(crate) struct S3 {
    pub(crate) sigv2: bool,
}

impl Default for S3 {
    fn default() -> Self {
        Self { sigv2: true }
    }
}

pub(super) const SECTION: Section = Section {
    name: "s3",
    about: "Buckets.",
    settings: &[Setting {
        path: "s3.sigv2",
        flag: None,
        default: "`true`",
        about: "Whether presigned URLs of the old signature version are accepted for objects: boto3 makes them by \
                default. Production wants `false` where its clients sign with `s3v4`.",
        set: |config, values| {
            config.s3.sigv2 = boolean(values)?;
            Ok(())
        },
    }],
};
