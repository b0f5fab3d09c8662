//! Process 1 of the new pid namespace: builds what the function sees, starts it, reaps, and ends with it.

use std::convert::Infallible;
use std::net::TcpListener;
use std::os::fd::OwnedFd;

use rustix::process::{DumpableBehavior, set_dumpable_behavior};

use super::step::{Failure, step};
use super::{STEP_FAILED, become_function, die_with_parent, outlast, privileges, say_failed, stand, view};
use crate::orders::Orders;
use crate::raw::{self, Forked};

pub(super) fn run(control: OwnedFd, orders: Orders, listeners: Vec<TcpListener>) -> ! {
    let Err(failure) = live(&control, orders, listeners);
    say_failed(&control, &failure);
    raw::exit_now(STEP_FAILED)
}

fn live(control: &OwnedFd, orders: Orders, listeners: Vec<TcpListener>) -> Result<Infallible, Failure> {
    die_with_parent(control)?;
    stand(control, &listeners)?;
    drop(listeners);
    view::build(&orders)?;
    step("name the host", rustix::system::sethostname(b"function"))?;
    match step("fork", raw::fork())? {
        Forked::Child => {
            let failure = become_function::run(&orders);
            say_failed(control, &failure);
            raw::exit_now(STEP_FAILED)
        }
        Forked::Parent(function) => {
            step("hide from the function", set_dumpable_behavior(DumpableBehavior::NotDumpable))?;
            privileges::give_up_capabilities()?;
            raw::exit_now(outlast::reap_until_end_of(function))
        }
    }
}
