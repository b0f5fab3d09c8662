//! The system calls that no function needs and that every other layer would have to be trusted to withstand.

mod calls;
mod rules;

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter, sock_filter};

use self::rules::Rules;
use super::step::{Failure, step};
use crate::orders::Orders;

/// Three filters one upon the other: the strictest answer counts.
pub(super) fn install(orders: &Orders) -> Result<(), Failure> {
    let alone = !orders.tier.has_namespaces();
    let mut refused = rules::refused_always()?;
    if alone {
        refused.extend(rules::refused_alone(orders.datagrams)?);
    }
    put_on(rules::not_there(), libc::ENOSYS)?;
    put_on(refused, libc::EPERM)?;
    foreign_numbers()
}

fn put_on(rules: Rules, errno: i32) -> Result<(), Failure> {
    let arch = step("know the architecture", std::env::consts::ARCH.try_into())?;
    let refuse = SeccompAction::Errno(errno.unsigned_abs());
    let filter =
        step("compile seccomp rules", SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch))?;
    let program: BpfProgram = step("compile seccomp rules", filter.try_into())?;
    step("take on seccomp", apply_filter(&program))
}

/// x86-64 kernels may know every call a second time under the x32 numbers, which no list by number would name.
fn foreign_numbers() -> Result<(), Failure> {
    const X32: u32 = 0x4000_0000;
    const LOAD_NUMBER: u16 = 0x20;
    const JUMP_IF_GREATER_OR_EQUAL: u16 = 0x35;
    const RETURN: u16 = 0x06;
    let errno = 0x0005_0000 | libc::ENOSYS.unsigned_abs();
    let allow = 0x7fff_0000;
    let line = |code, jt, jf, k| sock_filter { code, jt, jf, k };
    let program = [
        line(LOAD_NUMBER, 0, 0, 0),
        line(JUMP_IF_GREATER_OR_EQUAL, 0, 1, X32),
        line(RETURN, 0, 0, errno),
        line(RETURN, 0, 0, allow),
    ];
    step("take on seccomp", apply_filter(&program))
}
