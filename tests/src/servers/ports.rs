//! Ports that no other test takes, in this process or another, also while their server is down.

use std::net::{TcpListener, UdpSocket};

/// Below the range from which the system hands out ports by itself (32768 and up), and such that
/// the port of a cluster's bus, 10,000 above, is so too and in nobody's range.
const FIRST: u16 = 12_000;
const COUNT: u16 = 9_900;
const BUS: u16 = 10_000;

/// A loopback port for TCP, taken for as long as this lives.
///
/// What stands for it is the UDP port of the same number: everybody here asks for that first, and
/// the system gives it back when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Port {
    number: u16,
    _taken: UdpSocket,
}

impl Port {
    /// Takes a free one.
    pub(crate) fn take() -> Self {
        let first = fastrand::u16(0..COUNT);
        (0..COUNT)
            .map(|step| FIRST + (first + step) % COUNT)
            .find_map(Self::try_take)
            .expect("of 9,900 ports one is free")
    }

    /// Takes this one.
    ///
    /// # Panics
    ///
    /// If another test has it.
    pub(crate) fn take_number(number: u16) -> Self {
        let taken = UdpSocket::bind(("127.0.0.1", number));
        Self { number, _taken: taken.unwrap_or_else(|error| panic!("port {number}: {error}")) }
    }

    fn try_take(number: u16) -> Option<Self> {
        let taken = UdpSocket::bind(("127.0.0.1", number)).ok()?;
        // Somebody outside these tests may listen there.
        TcpListener::bind(("127.0.0.1", number)).ok()?;
        TcpListener::bind(("127.0.0.1", number + BUS)).ok()?;
        Some(Self { number, _taken: taken })
    }

    pub(crate) const fn number(&self) -> u16 {
        self.number
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Port;
    use crate::servers::until;

    #[test]
    fn a_port_is_taken_once_and_free_again_after() {
        let port = Port::take();
        let number = port.number();
        assert!(Port::try_take(number).is_none());
        drop(port);
        // A process that another test starts at this moment has the socket until its `exec`.
        until(Duration::from_secs(10), "a free port", || Port::try_take(number).is_some());
    }
}
