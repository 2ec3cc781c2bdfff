//! Whose request it is, as far as an address tells.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;

/// Where proxies write whom they speak for.
pub(super) const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Whom the peer speaks for, if it's a proxy of ours; else the peer.
///
/// Each proxy puts the address it was asked from at the end of `X-Forwarded-For`. So it is read from the end, for as long as the
/// one who speaks is trusted: all before that was written by the asker and may be anything.
pub(super) fn asker_of(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let lines: Vec<&HeaderValue> = headers.get_all(FORWARDED_FOR).iter().collect();
    let mut said = lines.into_iter().rev().flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    let mut asker = peer.to_canonical();
    while proxies.iter().any(|net| net.contains(&asker)) {
        match said.next().and_then(read) {
            Some(before) => asker = before,
            None => break,
        }
    }
    asker
}

/// An address, perhaps with a port or in brackets.
fn read(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    let address = bare.parse().ok().or_else(|| entry.parse::<SocketAddr>().ok().map(|address| address.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

/// The addresses that are counted together: of IPv6 a whole /64, which is what one line is given.
pub(super) fn block_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asker(peer: &str, lines: &[&str]) -> String {
        let proxies: Vec<IpNet> = ["10.0.0.0/8", "192.0.2.1/32", "fd00::/8"].map(|net| net.parse().unwrap()).into();
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        asker_of(peer.parse().unwrap(), &headers, &proxies).to_string()
    }

    #[test]
    fn a_header_is_believed_only_from_a_trusted_proxy() {
        for (peer, lines, expected) in [
            ("203.0.113.7", &[][..], "203.0.113.7"),
            ("203.0.113.7", &["198.51.100.1"], "203.0.113.7"),
            ("203.0.113.7", &["10.0.0.1, 10.0.0.2"], "203.0.113.7"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("192.0.2.1", &["198.51.100.1"], "198.51.100.1"),
            ("192.0.2.2", &["198.51.100.1"], "192.0.2.2"),
            ("fd00::1", &["2001:db8::5"], "2001:db8::5"),
            ("::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("127.0.0.1", &["198.51.100.1"], "127.0.0.1"),
        ] {
            assert_eq!(asker(peer, lines), expected, "{peer} says {lines:?}");
        }
    }

    #[test]
    fn what_the_asker_wrote_themselves_is_not_read() {
        for (lines, expected) in [
            (&["1.1.1.1, 198.51.100.1"][..], "198.51.100.1"),
            (&["1.1.1.1, 198.51.100.1, 10.9.9.9"], "198.51.100.1"),
            (&["1.1.1.1", "198.51.100.1, 10.9.9.9"], "198.51.100.1"),
            (&["10.7.7.7, 198.51.100.1"], "198.51.100.1"),
            (&["198.51.100.1", "10.9.9.9"], "198.51.100.1"),
        ] {
            assert_eq!(asker("10.0.0.1", lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn an_unreadable_entry_leaves_the_last_one_who_was_trusted() {
        for (lines, expected) in [
            (&["unknown"][..], "10.0.0.1"),
            (&[""], "10.0.0.1"),
            (&["198.51.100.1, "], "10.0.0.1"),
            (&["198.51.100.1, _hidden, 10.9.9.9"], "10.9.9.9"),
            (&["caf\u{e9}"], "10.0.0.1"),
            (&["10.1.1.1, 10.2.2.2"], "10.1.1.1"),
        ] {
            assert_eq!(asker("10.0.0.1", lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn ports_and_brackets_are_read_over() {
        for (entry, expected) in [
            ("198.51.100.1:4711", "198.51.100.1"),
            ("[2001:db8::5]", "2001:db8::5"),
            ("[2001:db8::5]:4711", "2001:db8::5"),
            (" ::ffff:198.51.100.1 ", "198.51.100.1"),
        ] {
            assert_eq!(asker("10.0.0.1", &[entry]), expected, "{entry}");
        }
    }

    #[test]
    fn the_addresses_of_one_line_are_counted_together() {
        for (address, block) in [
            ("203.0.113.7", "203.0.113.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2::", "2001:db8:1:2::"),
        ] {
            assert_eq!(block_of(address.parse().unwrap()).to_string(), block);
        }
    }
}
