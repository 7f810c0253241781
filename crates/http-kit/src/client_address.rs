//! Who the client is when proxies stand between: `X-Forwarded-For`, believed only as far as it deserves.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use http::HeaderMap;
use ipnet::IpNet;

use crate::listen::Peer;

/// More hops than any honest chain has; what stands further left is not looked at.
const MAX_HOPS: usize = 32;

/// The address of the client itself. [`crate::stack_service`] puts it into every request's extensions; a
/// warp handler reads it by `warp::ext::get::<ClientAddress>()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// What limits are counted by.
    ///
    /// SECURITY: a home or a server gets a whole IPv6 /64, so its last 64 bits are the attacker's to choose.
    #[must_use]
    pub fn limit_key(self) -> IpAddr {
        match self.0 {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
            v4 @ IpAddr::V4(_) => v4,
        }
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The peers whose `X-Forwarded-For` and `X-Request-Id` are believed: a comma list of addresses, CIDRs and
/// the word `unix`. The default is `unix`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
    unix: bool,
}

/// An element of a trusted-proxies list that is no address, network or `unix`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{element}` is neither an address, a network such as 10.0.0.0/8, nor the word unix")]
pub struct TrustedProxiesError {
    element: String,
}

impl Default for TrustedProxies {
    fn default() -> Self {
        Self {
            networks: Vec::new(),
            unix: true,
        }
    }
}

impl FromStr for TrustedProxies {
    type Err = TrustedProxiesError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut list = Self::none();
        for element in text
            .split(',')
            .map(str::trim)
            .filter(|element| !element.is_empty())
        {
            if element.eq_ignore_ascii_case("unix") {
                list.unix = true;
            } else if let Ok(network) = element.parse::<IpNet>() {
                list.networks.push(network);
            } else if let Ok(address) = element.parse::<IpAddr>() {
                list.networks.push(IpNet::from(address.to_canonical()));
            } else {
                return Err(TrustedProxiesError {
                    element: element.to_owned(),
                });
            }
        }
        Ok(list)
    }
}

impl TrustedProxies {
    /// Nobody is believed.
    #[must_use]
    pub fn none() -> Self {
        Self {
            networks: Vec::new(),
            unix: false,
        }
    }

    /// Whether this peer's forwarding headers are believed.
    #[must_use]
    pub fn trusts(&self, peer: Peer) -> bool {
        match peer {
            Peer::Unix => self.unix,
            Peer::Tcp(address) => self.trusts_address(address.ip()),
        }
    }

    fn trusts_address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }
}

/// The client's address: the peer itself, or, as long as hops are trusted, the one before it in
/// `X-Forwarded-For`, read from the right. A Unix peer that names nobody is 127.0.0.1.
///
/// SECURITY: everything left of the first untrusted hop was written by that hop and is worth nothing; an
/// element that is no address ends the walk at the last hop we know.
#[must_use]
pub fn client_address(peer: Peer, headers: &HeaderMap, trusted: &TrustedProxies) -> IpAddr {
    let mut known = peer.ip().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    if !trusted.trusts(peer) {
        return known;
    }
    let lines = headers.get_all("x-forwarded-for").into_iter().rev();
    let hops = lines.flat_map(|line| line.as_bytes().rsplit(|&byte| byte == b','));
    for hop in hops.take(MAX_HOPS) {
        let Some(address) = hop_address(hop) else {
            return known;
        };
        known = address;
        if !trusted.trusts_address(known) {
            return known;
        }
    }
    known
}

/// Reads `1.2.3.4`, `1.2.3.4:99`, `2001:db8::1`, `[2001:db8::1]` and `[2001:db8::1]:99`.
fn hop_address(hop: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(hop).ok()?.trim_matches([' ', '\t']);
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    let address = bare
        .parse()
        .or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()))
        .ok()?;
    Some(IpAddr::to_canonical(&address))
}
