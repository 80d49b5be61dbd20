//! Ports that nobody listens on.

use std::net::TcpListener;

use anyhow::{Context, Result};

/// Different free ports of 127.0.0.1. Another program can take one before the server does; whoever starts it tries again then.
pub(crate) fn free<const N: usize>() -> Result<[u16; N]> {
    let mut held = Vec::new();
    let mut ports = [0; N];
    for port in &mut ports {
        // Held until all are found, so that none is found twice.
        let listener = TcpListener::bind("127.0.0.1:0").context("there is no free port")?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}

#[cfg(test)]
mod tests {
    #[test]
    fn ports_are_different_and_free() {
        let ports = super::free::<8>().unwrap();
        let different: std::collections::BTreeSet<u16> = ports.into();
        assert_eq!(different.len(), 8);
        assert!(std::net::TcpListener::bind(("127.0.0.1", ports[3])).is_ok());
    }
}
