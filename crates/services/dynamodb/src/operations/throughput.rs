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

/// Each maximum that may be given, by its name.
type Maxima = [(&'static str, Option<i64>); 2];

impl RawMaximum {
    /// The maximum of what is made: `table`, or `index` and its name.
    pub(super) fn check(self, on_demand: bool, of: &str) -> Result<Option<OnDemandMaximum>, Invalid> {
        if let Some((name, _)) = self.given().into_iter().find(|(_, units)| *units == Some(-1)) {
            // There is nothing to lift yet.
            return out_of_range(name, of);
        }
        self.change(None, on_demand, of)
    }

    /// What becomes of the maximum that was there.
    pub(super) fn change(
        self,
        before: Option<OnDemandMaximum>,
        on_demand: bool,
        of: &str,
    ) -> Result<Option<OnDemandMaximum>, Invalid> {
        if let Some((name, _)) = self.given().into_iter().find(|(_, units)| units.is_some() && !on_demand) {
            return parameter(format!(
                "{name} for OnDemandThroughput cannot be specified when the table BillingMode is PROVISIONED"
            ));
        }
        let before = before.unwrap_or_default();
        let asked = |(name, given): (&str, Option<i64>), before: Option<u64>| match given {
            None => Ok(before),
            Some(-1) => Ok(None),
            Some(units) => match u64::try_from(units) {
                Ok(units @ 1..=MAX_UNITS) => Ok(Some(units)),
                _ => out_of_range(name, of),
            },
        };
        let [read, write] = self.given();
        let (read, write) = (asked(read, before.read)?, asked(write, before.write)?);
        Ok(Some(OnDemandMaximum { read, write }).filter(|it| it.read.is_some() || it.write.is_some()))
    }

    fn given(self) -> Maxima {
        [
            ("MaxReadRequestUnits", self.max_read_request_units),
            ("MaxWriteRequestUnits", self.max_write_request_units),
        ]
    }
}

fn out_of_range<T>(name: &str, of: &str) -> Result<T, Invalid> {
    parameter(format!("Requested {name} for OnDemandThroughput for {of} is outside of valid range"))
}

/// `WarmThroughput`
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RawWarm {
    read_units_per_second: Option<u64>,
    write_units_per_second: Option<u64>,
}

impl RawWarm {
    /// What is to be kept warm of `of` (`table`, or `index` and its name) from when it is made, beside what is warm
    /// anyway.
    pub(super) fn check(self, provisioned: Option<Throughput>, of: &str) -> Result<Throughput, Invalid> {
        self.no_less_than(Throughput::warm_anyway(provisioned), of, |kind| match provisioned {
            Some(_) => format!("{kind}CapacityUnits of ProvisionedThroughput"),
            None => "initial throughput for OnDemand".to_owned(),
        })
    }

    /// What is to be kept warm from now on: no less than before.
    pub(super) fn raise(
        self,
        before: Option<Throughput>,
        provisioned: Option<Throughput>,
        of: &str,
    ) -> Result<Throughput, Invalid> {
        let current = Throughput::warm(before, provisioned);
        self.no_less_than(current, of, |_| {
            "current WarmThroughput, decreasing WarmThroughput is not supported".to_owned()
        })
    }

    fn no_less_than(
        self,
        least: Throughput,
        of: &str,
        lower_than: impl Fn(&str) -> String,
    ) -> Result<Throughput, Invalid> {
        let asked = |given: Option<u64>, kind: &str, least: u64| {
            let units = given.unwrap_or(least);
            if units >= least {
                return Ok(units);
            }
            let lower_than = lower_than(kind);
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
    /// Gives it to an index that is made with its table.
    pub(super) fn give(self, index: &mut Index, on_demand: bool) -> Result<(), Invalid> {
        let name = &index.name;
        match (on_demand, self.provisioned) {
            (true, Some(_)) => parameter(format!(
                "ProvisionedThroughput should not be specified for index: {name} when BillingMode is PAY_PER_REQUEST"
            )),
            (false, None) => parameter(format!("ProvisionedThroughput is not specified for index: {name}")),
            _ => self.make(index, on_demand),
        }
    }

    /// Gives it to an index that is added to a table.
    pub(super) fn add(self, index: &mut Index, on_demand: bool) -> Result<(), Invalid> {
        let name = &index.name;
        match (on_demand, self.provisioned) {
            (true, Some(_)) => parameter(format!(
                "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: {name} when BillingMode is PAY_PER_REQUEST"
            )),
            (false, None) => parameter(format!(
                "Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: {name}"
            )),
            _ => self.make(index, on_demand),
        }
    }

    fn make(self, index: &mut Index, on_demand: bool) -> Result<(), Invalid> {
        let of = format!("index {}", index.name);
        index.throughput = self.provisioned.map(RawThroughput::check).transpose()?;
        let maximum = self.maximum.map(|maximum| maximum.check(on_demand, &of)).transpose()?;
        index.on_demand_maximum = maximum.flatten();
        index.warm = self.warm.map(|warm| warm.check(index.throughput, &of)).transpose()?;
        Ok(())
    }

    /// Gives what is asked for to an index that is there.
    pub(super) fn change(self, index: &mut Index, on_demand: bool) -> Result<(), Invalid> {
        let of = format!("index {}", index.name);
        if let Some(provisioned) = self.provisioned {
            if on_demand {
                return parameter(format!(
                    "The only Updates for index: {} when TableThroughputMode is PAY_PER_REQUEST can be to OnDemandThroughput, WarmThroughput",
                    index.name
                ));
            }
            let asked = provisioned.check()?;
            check_unchanged(&of, index.throughput, asked)?;
            index.throughput = Some(asked);
        }
        if let Some(maximum) = self.maximum {
            index.on_demand_maximum = maximum.change(index.on_demand_maximum, on_demand, &of)?;
        }
        if let Some(warm) = self.warm {
            index.warm = Some(warm.raise(index.warm, index.throughput, &of)?);
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
