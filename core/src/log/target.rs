//! Where lines are sent to over the network.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::text::decimal;

/// The port of syslog.
const PORT: u16 = 514;

/// An address and a port.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Target {
    /// The machine.
    pub address: IpAddr,
    /// Its port; never 0.
    pub port: u16,
}

/// Why a text is no target.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoTarget {
    /// The address is none.
    Address,
    /// The port is none.
    Port,
}

/// Reads `A.B.C.D[:PORT]`, `IPV6`, or `[IPV6][:PORT]`.
///
/// # Errors
/// Which part is wrong.
pub fn parse(text: &[u8]) -> Result<Target, NoTarget> {
    let (address, port) = split(text).ok_or(NoTarget::Address)?;
    let port = match port {
        None => PORT,
        Some(digits) => {
            let number = decimal(digits).and_then(|number| u16::try_from(number).ok());
            number.filter(|port| *port != 0).ok_or(NoTarget::Port)?
        }
    };
    Ok(Target { address, port })
}

/// The address, and what is behind it as a port.
fn split(text: &[u8]) -> Option<(IpAddr, Option<&[u8]>)> {
    if let Some(rest) = text.strip_prefix(b"[") {
        let mut parts = rest.splitn(2, |byte| *byte == b']');
        let address = version_six(parts.next()?)?;
        return match parts.next()? {
            [] => Some((address, None)),
            [b':', port @ ..] => Some((address, Some(port))),
            _ => None,
        };
    }
    let mut parts = text.splitn(2, |byte| *byte == b':');
    match (version_four(parts.next()?), parts.next()) {
        (Some(address), port) => Some((address, port)),
        // The colons of an address without brackets.
        (None, _) => version_six(text).map(|address| (address, None)),
    }
}

fn version_four(text: &[u8]) -> Option<IpAddr> {
    let mut octets = [0; 4];
    let mut numbers = text.split(|byte| *byte == b'.');
    for octet in &mut octets {
        *octet = decimal(numbers.next()?).and_then(|number| u8::try_from(number).ok())?;
    }
    numbers.next().is_none().then_some(IpAddr::V4(Ipv4Addr::from(octets)))
}

/// Eight groups of four hexadecimal digits, of which one row of zeros may be left out.
fn version_six(text: &[u8]) -> Option<IpAddr> {
    let mut groups = [0_u16; 8];
    let (mut count, mut gap) = (0_usize, None);
    let mut rest = text;
    if let Some(behind) = rest.strip_prefix(b"::") {
        (gap, rest) = (Some(0), behind);
    }
    while !rest.is_empty() {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let (group, behind) = rest.split_at_checked(digits).filter(|_| (1..=4).contains(&digits))?;
        *groups.get_mut(count)? = group.iter().fold(0, |number, digit| number << 4 | value(*digit));
        count = count.wrapping_add(1);
        rest = match behind {
            [] => &[],
            [b':', b':', behind @ ..] if gap.is_none() => {
                gap = Some(count);
                behind
            }
            [b':', behind @ ..] if !behind.is_empty() => behind,
            _ => return None,
        };
    }
    match gap {
        // The groups behind the gap belong to the end.
        Some(gap) if count < groups.len() => {
            let missing = groups.len().wrapping_sub(count);
            for place in (gap..count).rev() {
                let group = core::mem::take(groups.get_mut(place)?);
                *groups.get_mut(place.wrapping_add(missing))? = group;
            }
        }
        None if count == groups.len() => {}
        _ => return None,
    }
    Some(IpAddr::V6(Ipv6Addr::from(groups)))
}

fn value(digit: u8) -> u16 {
    let value = match digit {
        b'0'..=b'9' => digit.wrapping_sub(b'0'),
        _ => (digit | 0x20).wrapping_sub(b'a').wrapping_add(10),
    };
    value.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Result<String, NoTarget> {
        parse(text.as_bytes()).map(|target| format!("{} {}", target.address, target.port))
    }

    #[test]
    fn addresses_with_and_without_a_port() {
        assert_eq!(parsed("192.0.2.1"), Ok("192.0.2.1 514".to_owned()));
        assert_eq!(parsed("192.0.2.1:1514"), Ok("192.0.2.1 1514".to_owned()));
        assert_eq!(parsed("::1"), Ok("::1 514".to_owned()));
        assert_eq!(parsed("[::1]"), Ok("::1 514".to_owned()));
        assert_eq!(parsed("[2001:db8::1]:65535"), Ok("2001:db8::1 65535".to_owned()));
        assert_eq!(parsed("1:2:3:4:5:6:7:8"), Ok("1:2:3:4:5:6:7:8 514".to_owned()));
        assert_eq!(parsed("::"), Ok(":: 514".to_owned()));
    }

    #[test]
    fn what_is_no_address() {
        for text in [
            "",
            "localhost",
            "256.1.1.1",
            "1.2.3",
            "1.2.3.4.5",
            "1.2.3.4x",
            " 1.2.3.4",
            "1..2.3",
            "[1.2.3.4]",
            "[::1",
            "[::1]x",
            ":1",
            "1:",
            "1::2::3",
            "1:2:3:4:5:6:7:8:9",
            "1:2:3:4:5:6:7::8",
            "12345::",
            ":::",
            "::1::",
            "g::",
        ] {
            assert_eq!(parsed(text), Err(NoTarget::Address), "{text}");
        }
    }

    #[test]
    fn what_is_no_port() {
        for text in ["1.2.3.4:", "1.2.3.4:0", "1.2.3.4:65536", "1.2.3.4:x", "1.2.3.4:5:6", "[::1]:", "[::1]:-1"] {
            assert_eq!(parsed(text), Err(NoTarget::Port), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_written_address_is_read(groups: [u16; 8], short: bool) {
            let mut groups = groups;
            if short {
                groups[2..6].fill(0);
            }
            let address = Ipv6Addr::from(groups);
            prop_assume!(address.to_ipv4().is_none());
            prop_assert_eq!(parsed(&format!("[{address}]:7")), Ok(format!("{address} 7")));
        }

        #[test]
        fn no_text_is_too_odd(text in "[0-9a-f:.\\[\\]]{0,24}") {
            if let Ok(target) = parse(text.as_bytes()) {
                let plain = text.trim_start_matches('[');
                let end = if text.starts_with('[') { plain.find(']') } else { None };
                let address = match (end, target.address) {
                    (Some(end), _) => &plain[..end],
                    (None, IpAddr::V4(_)) => plain.split(':').next().unwrap(),
                    (None, IpAddr::V6(_)) => plain,
                };
                // Leading zeros, as in 01.2.3.4, are more than the library takes.
                let known: Result<IpAddr, _> = address.parse();
                prop_assert!(known == Ok(target.address) || target.address.is_ipv4());
            }
        }
    }
}
