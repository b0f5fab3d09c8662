//! How much a table or a global index is asked to serve: what is provisioned, the most that on-demand may be asked for,
//! and what is kept warm. The first two hold ([`crate::metering`]); the last is recorded and described.

use serde::Deserialize;

use super::shape::{parameter, table_rule};
use crate::error::Invalid;
use crate::table::{Index, OnDemandMaximum, Throughput};

/// The most capacity units.
const MAX_UNITS: u64 = 1_000_000_000_000;

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RawThroughput {
    pub(super) read_capacity_units: u64,
    pub(super) write_capacity_units: u64,
}

impl RawThroughput {
    pub(super) fn check(self) -> Result<Throughput, Invalid> {
        let (read, write) = (self.read_capacity_units, self.write_capacity_units);
        for (units, name) in [(read, "ReadCapacityUnits"), (write, "WriteCapacityUnits")] {
            if units > MAX_UNITS {
                return table_rule(format!("Given value {units} for {name} is out of bounds"));
            }
        }
        Ok(Throughput { read, write })
    }
}

/// `OnDemandThroughput`; -1 lifts a maximum.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RawMaximum {
    max_read_request_units: Option<i64>,
    max_write_request_units: Option<i64>,
}

impl RawMaximum {
    /// What becomes of the maximum that was there.
    pub(super) fn check(
        self,
        before: Option<OnDemandMaximum>,
        on_demand: bool,
    ) -> Result<Option<OnDemandMaximum>, Invalid> {
        if !on_demand {
            return parameter("OnDemandThroughput cannot be specified when BillingMode is PROVISIONED");
        }
        let before = before.unwrap_or_default();
        let asked = |given: Option<i64>, name: &str, before: Option<u64>| match given {
            None => Ok(before),
            Some(-1) => Ok(None),
            Some(units) => match u64::try_from(units) {
                Ok(units @ 1..=MAX_UNITS) => Ok(Some(units)),
                _ => table_rule(format!("Given value {units} for {name} is out of bounds")),
            },
        };
        let read = asked(self.max_read_request_units, "MaxReadRequestUnits", before.read)?;
        let write = asked(self.max_write_request_units, "MaxWriteRequestUnits", before.write)?;
        Ok(Some(OnDemandMaximum { read, write }).filter(|it| it.read.is_some() || it.write.is_some()))
    }
}

/// `WarmThroughput`
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RawWarm {
    read_units_per_second: Option<u64>,
    write_units_per_second: Option<u64>,
}

impl RawWarm {
    /// What is to be kept warm of `of` (`table`, or `index` and its name), beside what is warm anyway.
    pub(super) fn check(self, provisioned: Option<Throughput>, of: &str) -> Result<Throughput, Invalid> {
        let least = Throughput::warm_anyway(provisioned);
        let asked = |given: Option<u64>, kind: &str, least: u64| {
            let units = given.unwrap_or(least);
            if units >= least {
                return Ok(units);
            }
            let lower_than = match provisioned {
                Some(_) => format!("{kind}CapacityUnits of ProvisionedThroughput"),
                None => "initial throughput for OnDemand".to_owned(),
            };
            parameter(format!(
                "Requested {kind}UnitsPerSecond for WarmThroughput for {of} is lower than {lower_than}"
            ))
        };
        Ok(Throughput {
            read: asked(self.read_units_per_second, "Read", least.read)?,
            write: asked(self.write_units_per_second, "Write", least.write)?,
        })
    }
}

/// What a global index is asked to serve.
#[derive(Clone, Copy)]
pub(super) struct OfIndex {
    pub(super) provisioned: Option<RawThroughput>,
    pub(super) maximum: Option<RawMaximum>,
    pub(super) warm: Option<RawWarm>,
}

impl OfIndex {
    /// Gives it to an index that is made.
    pub(super) fn give(self, index: &mut Index, on_demand: bool) -> Result<(), Invalid> {
        if !on_demand && self.provisioned.is_none() {
            return parameter(format!("ProvisionedThroughput is not specified for index: {}", index.name));
        }
        self.change(index, on_demand)
    }

    /// Gives what is asked for to an index that is there.
    pub(super) fn change(self, index: &mut Index, on_demand: bool) -> Result<(), Invalid> {
        let name = &index.name;
        if let Some(provisioned) = self.provisioned {
            if on_demand {
                return parameter(format!(
                    "ProvisionedThroughput should not be specified for index: {name} when BillingMode is PAY_PER_REQUEST"
                ));
            }
            let asked = provisioned.check()?;
            check_unchanged(&format!("index {name}"), index.throughput, asked)?;
            index.throughput = Some(asked);
        }
        if let Some(maximum) = self.maximum {
            index.on_demand_maximum = maximum.check(index.on_demand_maximum, on_demand)?;
        }
        if let Some(warm) = self.warm {
            index.warm = Some(warm.check(index.throughput, &format!("index {name}"))?);
        }
        Ok(())
    }
}

/// Refuses a change to what is there already. `of` is `table`, or `index` and its name.
pub(super) fn check_unchanged(
    of: &str,
    current: Option<Throughput>,
    asked: Throughput,
) -> Result<(), Invalid> {
    let Some(current) = current.filter(|current| *current == asked) else { return Ok(()) };
    let Throughput { read, write } = current;
    table_rule(format!(
        "The provisioned throughput for the {of} will not change. The requested value equals the current value. Current ReadCapacityUnits provisioned for the {of}: {read}. Requested ReadCapacityUnits: {read}. Current WriteCapacityUnits provisioned for the {of}: {write}. Requested WriteCapacityUnits: {write}. Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."
    ))
}
