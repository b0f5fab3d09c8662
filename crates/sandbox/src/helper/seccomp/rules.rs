//! The rules with arguments. Within one call any rule that matches refuses; a rule matches when all its conditions do.

use std::collections::BTreeMap;

use seccompiler::{BackendError, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompRule};

use super::super::step::{Failure, step};
use super::calls;

pub(super) type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Everything `clone` could make a namespace with.
const NEW_NAMESPACES: u64 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET) as u64;
const IPPROTO_MPTCP: u64 = 262;
const SOCKET_TYPE: u64 = 0xf;

/// `clone3` carries its flags behind a pointer, where no filter sees them; without it the C library uses `clone`.
pub(super) fn not_there() -> Rules {
    Rules::from([(libc::SYS_clone3, Vec::new())])
}

pub(super) fn refused_always() -> Result<Rules, Failure> {
    let mut rules: Rules = calls::ALWAYS.iter().map(|call| (*call, Vec::new())).collect();
    let any_new = (0..64).map(|bit| 1_u64 << bit).filter(|flag| NEW_NAMESPACES & flag != 0);
    rules.insert(libc::SYS_clone, any_new.map(|flag| rule([has(0, flag)])).collect::<Result<_, _>>()?);
    rules.insert(libc::SYS_prlimit64, vec![rule([is_not(0, 0)])?]);
    for call in [libc::SYS_socket, libc::SYS_socketpair] {
        rules.insert(call, vec![family_not_listed()?, netlink_but_route()?, rule([is(2, IPPROTO_MPTCP)])?]);
    }
    let fast_open = libc::MSG_FASTOPEN.unsigned_abs().into();
    rules.insert(libc::SYS_sendto, vec![rule([has(3, fast_open)])?]);
    rules.insert(libc::SYS_sendmsg, vec![rule([has(2, fast_open)])?]);
    rules.insert(libc::SYS_sendmmsg, vec![rule([has(3, fast_open)])?]);
    // TIOCSTI writes into a terminal's input, TIOCLINUX pastes into a console's.
    rules.insert(libc::SYS_ioctl, vec![rule([is(1, libc::TIOCSTI)])?, rule([is(1, libc::TIOCLINUX)])?]);
    Ok(rules)
}

/// Tier 1: no unix socket that could be connected (pairs of streams can't be), none for datagrams unless the network is
/// open, no metadata, nobody else's priorities. These replace the rules of the same calls above.
pub(super) fn refused_alone(datagrams: bool) -> Result<Rules, Failure> {
    let mut rules: Rules =
        calls::METADATA.iter().chain(calls::METADATA_BY_OLD_NAMES).map(|call| (*call, Vec::new())).collect();
    for call in calls::ON_ANOTHER {
        rules.insert(*call, vec![rule([is_not(0, 0)])?]);
    }
    // (which, who, …): the process itself and nothing wider.
    for (call, process) in [(libc::SYS_setpriority, 0), (libc::SYS_ioprio_set, 1)] {
        rules.insert(call, vec![rule([is_not(0, process)])?, rule([is_not(1, 0)])?]);
    }
    let mut socket = vec![family_not_listed()?, netlink_but_route()?, rule([is(2, IPPROTO_MPTCP)])?];
    socket.push(rule([is(0, unsigned(libc::AF_UNIX))])?);
    if !datagrams {
        for family in [libc::AF_INET, libc::AF_INET6] {
            socket.push(rule([is(0, unsigned(family)), typed(unsigned(libc::SOCK_DGRAM))])?);
        }
    }
    rules.insert(libc::SYS_socket, socket);
    let pair = vec![family_not_listed()?, netlink_but_route()?, rule([typed(unsigned(libc::SOCK_DGRAM))])?];
    rules.insert(libc::SYS_socketpair, pair);
    Ok(rules)
}

fn family_not_listed() -> Result<SeccompRule, Failure> {
    let listed = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];
    rule(listed.map(|family| is_not(0, unsigned(family))))
}

fn netlink_but_route() -> Result<SeccompRule, Failure> {
    rule([is(0, unsigned(libc::AF_NETLINK)), is_not(2, unsigned(libc::NETLINK_ROUTE))])
}

fn unsigned(number: i32) -> u64 {
    number.unsigned_abs().into()
}

type Condition = Result<SeccompCondition, BackendError>;

fn rule<const N: usize>(conditions: [Condition; N]) -> Result<SeccompRule, Failure> {
    let conditions = step("compile seccomp rules", conditions.into_iter().collect::<Result<Vec<_>, _>>())?;
    step("compile seccomp rules", SeccompRule::new(conditions))
}

fn is(argument: u8, value: u64) -> Condition {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)
}

fn is_not(argument: u8, value: u64) -> Condition {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, value)
}

fn has(argument: u8, flag: u64) -> Condition {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(flag), flag)
}

fn typed(kind: u64) -> Condition {
    SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(SOCKET_TYPE), kind)
}
