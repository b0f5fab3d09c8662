//! Which of its changes `UpdateTable` makes together.

use super::shape::parameter;
use crate::error::Invalid;

/// What a request asks to be changed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Changes {
    pub(super) encryption: bool,
    pub(super) class: bool,
    pub(super) protection: bool,
    pub(super) warm: bool,
    /// `OnDemandThroughput`
    pub(super) maximum: bool,
    /// `BillingMode`
    pub(super) billing: bool,
    /// `ProvisionedThroughput`
    pub(super) throughput: bool,
    pub(super) stream: bool,
    pub(super) index_made: bool,
    pub(super) index_dropped: bool,
    pub(super) index_changed: bool,
}

impl Changes {
    fn all(self) -> [bool; 11] {
        [
            self.encryption,
            self.class,
            self.protection,
            self.warm,
            self.maximum,
            self.billing,
            self.throughput,
            self.stream,
            self.index_made,
            self.index_dropped,
            self.index_changed,
        ]
    }

    /// Whether there are none.
    pub(super) fn is_empty(self) -> bool {
        !self.all().contains(&true)
    }

    /// Whether there is just one.
    fn is_one(self) -> bool {
        self.all().iter().filter(|asked| **asked).count() == 1
    }

    /// Whether it is done when the answer arrives, on AWS too: a table's protection, or the most that it is asked for.
    pub(super) fn is_at_once(self) -> bool {
        self.is_one() && (self.protection || self.maximum)
    }

    /// Refuses changes that aren't made together.
    pub(super) fn check(self) -> Result<(), Invalid> {
        self.check_alone()?;
        self.check_warm()?;
        if self.maximum && !(Self { maximum: false, billing: false, ..self }).is_empty() {
            return parameter(
                "OnDemandThroughput can only be combined with BillingMode in an UpdateTable request",
            );
        }
        self.check_indexes()
    }

    fn check_alone(self) -> Result<(), Invalid> {
        let alone = [
            (self.encryption, "Server-Side Encryption modification"),
            (self.class, "TableClass modification"),
            (self.protection, "DeletionProtection modification"),
        ];
        match alone.into_iter().find(|(asked, _)| *asked) {
            Some((_, what)) if !self.is_one() => {
                parameter(format!("{what} must be the only operation in the request"))
            }
            _ => Ok(()),
        }
    }

    /// What is kept warm of a table is changed beside the same of its indexes only.
    fn check_warm(self) -> Result<(), Invalid> {
        if self.warm && self.index_made {
            return parameter(
                "Create global secondary index cannot be specified when updating WarmThroughput",
            );
        }
        if self.warm && !(Self { index_changed: false, ..self }).is_one() {
            return parameter("WarmThroughput must be the only operation in the request");
        }
        Ok(())
    }

    fn check_indexes(self) -> Result<(), Invalid> {
        let index = self.index_made || self.index_dropped;
        if self.stream && self.throughput {
            return parameter("You cannot modify stream status while updating table IOPS");
        }
        if index && self.throughput {
            return parameter("You cannot create or delete index while updating table IOPS");
        }
        if index && self.stream {
            return parameter("You cannot create or delete index while changing stream status");
        }
        Ok(())
    }
}
