use std::fmt;

use serde::{Deserialize, Serialize};

/// How strongly a process is confined; a higher tier holds everything a lower one does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Tier {
    /// Nothing that counts as a sandbox: functions are refused.
    Refused,
    /// Homeport's own user under Landlock (files, ports, scopes; ABI 6 or newer) and a wider seccomp list.
    Landlock,
    /// User, pid, mount, ipc, uts and network namespaces of its own, Landlock, seccomp.
    Namespaces,
    /// As `Namespaces`, made by root, with a uid per function instead of a user namespace (which would only hand the
    /// function more of the kernel to attack).
    OwnUid,
}

impl Tier {
    /// The number people know it by, 0 to 3.
    pub fn number(self) -> u8 {
        match self {
            Self::Refused => 0,
            Self::Landlock => 1,
            Self::Namespaces => 2,
            Self::OwnUid => 3,
        }
    }

    /// Whether the process has a file tree, a process tree and loopback addresses of its own.
    pub fn has_namespaces(self) -> bool {
        self >= Self::Namespaces
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Refused => "refused",
            Self::Landlock => "Landlock and seccomp",
            Self::Namespaces => "namespaces",
            Self::OwnUid => "namespaces and a uid per function",
        };
        write!(f, "tier {} ({name})", self.number())
    }
}

/// What this machine was proved to give.
#[derive(Clone, Debug)]
pub struct Confinement {
    /// The strongest tier whose whole set-up was carried out once, for real.
    pub tier: Tier,
    /// Why each stronger one was not given, and what holds memory: for the log at start.
    pub reasons: Vec<String>,
}

impl fmt::Display for Confinement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.tier)?;
        for reason in &self.reasons {
            write!(f, "; {reason}")?;
        }
        Ok(())
    }
}
